"""What the HTTP port says of a controller, from before its term until its end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tinyforge.http.address import ListenAddress
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving
from tinyforge.reconcile.plugins import Loaded, Plugins


class Vitals:
    """The metrics of this process, and what is wrong with it. It is ready from the start: so is whoever waits for its turn to lead."""

    def __init__(self, plugins: Plugins) -> None:
        self.metrics = Metrics(sources=[it.kind for it in plugins.sources if isinstance(it, Loaded)])
        self._silent: Callable[[], Sequence[str]] = list

    def begin(self, silent: Callable[[], Sequence[str]]) -> None:
        """Look at the timers of a term from now on: `silent` returns those that have stopped."""
        self._silent = silent
        self.metrics.readings.look_at_timers(silent)

    @asynccontextmanager
    async def served(self, address: ListenAddress | None) -> AsyncIterator[None]:
        """Serve `/healthz`, `/readyz` and `/metrics` for the length of a block, if there is an address.

        Raises:
            AddressUnusable: the address cannot be listened on.
        """
        if address is None:
            yield
            return
        async with serving(address, health=self._wrong, readiness=list, metrics=self.metrics):
            yield

    def _wrong(self) -> list[str]:
        return [f"the timer of {timer} has been silent for three intervals" for timer in self._silent()]
