"""An index that is raced: somebody else writes between a pass's reading and its writing, which no timing of real sessions hits reliably."""

from collections.abc import Callable, Collection, Iterator, Mapping

from tinyforge.ports import CompletePass, ContainersIndex, FailedPass, HostSnapshot


class RacedIndex:
    """The real index, with somebody who does the next of `deeds` whenever a pass is about to write."""

    def __init__(self, index: ContainersIndex, *deeds: Callable[[], object]) -> None:
        self._index = index
        self._deeds: Iterator[Callable[[], object]] = iter(deeds)

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        return await self._index.snapshot(host, also=also)

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        return await self._index.elsewhere(host)

    async def complete(self, record: CompletePass) -> None:
        next(self._deeds, lambda: None)()
        await self._index.complete(record)

    async def fail(self, record: FailedPass) -> None:
        await self._index.fail(record)
