"""What the HTTP port says of a controller, from its start until its end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tinyforge.domain.roles import Role
from tinyforge.http.address import ListenAddress
from tinyforge.http.checks import Check
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving
from tinyforge.reconcile.plugins import Loaded, Plugins


class Vitals:
    """The metrics of this process, what is wrong with it, and what it is.

    It is ready once it has begun its part, and stays so: who waits for its turn to lead is as ready as who leads, or no rollout would end.
    """

    def __init__(self, plugins: Plugins) -> None:
        self.metrics = Metrics(sources=[it.kind for it in plugins.sources if isinstance(it, Loaded)])
        self._waits_for = "it has only just started"
        self._role: Callable[[], Role] | None = None
        self._health: list[Check] = []
        self.metrics.readings.look_at_leadership(leads=lambda: False, epoch=lambda: 0, observes_only=lambda: False)

    def wait_for(self, what: str) -> None:
        """Say of this process what it cannot begin without."""
        self._waits_for = what

    def begin(self, role: Callable[[], Role], *, wrong: Check = list) -> None:
        """Be ready; `role` returns what this process is, and `wrong` what keeps it from making progress."""
        self._role = role
        self._health.append(wrong)
        self.metrics.readings.look_at_leadership(
            leads=lambda: role().leads, epoch=lambda: role().epoch, observes_only=lambda: role().observes_only
        )

    def look_at_timers(self, silent: Callable[[], Sequence[str]]) -> None:
        """Look at the timers of a term from now on: `silent` returns those that have stopped."""
        self._health.append(lambda: [f"the timer of {timer} has been silent for three intervals" for timer in silent()])
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
        async with serving(address, health=self._wrong, readiness=self._unready, metrics=self.metrics, standing=self._standing):
            yield

    def _wrong(self) -> list[str]:
        return [sentence for check in self._health for sentence in check()]

    def _unready(self) -> list[str]:
        return [] if self._role else [f"not begun yet: {self._waits_for}"]

    def _standing(self) -> str:
        return self._role().sentence if self._role else ""
