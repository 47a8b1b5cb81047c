"""A Docker host: what is sent to it takes effect when it arrives, which may be long after its sender was deposed, paused or ended.

There is no way to take a request back, and the daemon knows no epoch; so the invariants about it are about intents (I4, I5), and about the
time in which a request arrives that arrives in time at all (I7): a request to an engine takes at most as long as one to the API server.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.election.model.moments import Clock
from tests.election.model.postgresql_model import Postgres
from tests.election.model.witness import Effect, Witness


@dataclass(eq=False)
class Call:
    """One request of a mutation, under the intent of that number; see `Effect`."""

    epoch: int
    intent: int
    sent_at: float
    steady: bool
    in_touch: Callable[[], bool]


class Host:
    """The daemon and the way to it, which takes `delay` seconds; an infinite one holds everything back until it is mended."""

    def __init__(self, *, clock: Clock, postgres: Postgres, witness: Witness, request_timeout: float) -> None:
        self.clock = clock
        self.delay = 0.0
        self._postgres = postgres
        self._witness = witness
        self._request_timeout = request_timeout
        self.under_way: list[Call] = []

    def serve(self) -> bool:
        """Do what has arrived; tell whether there was anything."""
        arrived = [call for call in self.under_way if self.clock.now - call.sent_at >= self.delay]
        for call in arrived:
            prompt = self.clock.now - call.sent_at < self._request_timeout
            effect = Effect(call.epoch, call.intent, call.steady, prompt, call.in_touch())
            self._witness.took_effect(self._postgres.state, effect)
            self.under_way.remove(call)
        return bool(arrived)
