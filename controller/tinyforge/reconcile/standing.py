"""How each host stood after its last pass: whether it answers, and if not, why. A change of it concerns every workload of the host."""

from collections.abc import Collection, Set

from tinyforge.domain.passes import PassOutcome, PassReport


class Standing:
    """Remembers one sentence a host."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    @property
    def known(self) -> Set[str]:
        """The hosts that something is remembered of."""
        return self._words.keys()

    def changed(self, host: str, report: PassReport) -> bool:
        """Take note of a pass, and tell whether the host stands otherwise than before it; the first pass always counts."""
        healthy = report.outcome in (PassOutcome.UNCHANGED, PassOutcome.CHANGED)
        word = "" if healthy else f"{report.reason}: {report.message}"
        before, self._words[host] = self._words.get(host), word
        return before != word

    def forget(self, hosts: Collection[str]) -> None:
        """Forget some hosts: those that are gone, and those whose next pass is to count as their first."""
        for host in hosts:
            self._words.pop(host, None)
