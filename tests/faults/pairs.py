"""Two replicas of which one is elected and freezes: how it comes to a place in the protocol, and what may come of it when it wakes up."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.controllers import DEADLINE
from tests.e2e.index import until
from tests.faults.conftest import HOST
from tests.faults.fleet import Fleet, behind_the_fence, freeze, is_stopped, wake

STOP = "TINYFORGE_TEST_STOP_AT"
LATE = 1.0
"""How long PostgreSQL may take to carry out what it was sent late."""
LAST_WORDS = ("Error: ", "the watchdog ends this process: ")
"""The second where a busy machine does not let it end within 2 s."""
CAMPAIGN_FAILED = (
    "Error: the campaign with epoch 1 took ",
    "Error: the Lease was taken with epoch 1, and the database could not be claimed: ",
)
MISSED = 8.0
"""Within how many seconds a frozen leader is deposed at the latest."""


class Pair:
    """`first`, which will be elected and freeze, and `second`, which is next. What the first one says to PostgreSQL goes over a cable.

    Args:
        fleet: without replicas so far.
        stop: where the first one stops itself; `{armed}` in it is a file that is there from `stop_from_now_on`.
        armed: that file.
    """

    def __init__(self, fleet: Fleet, *, stop: str, armed: Path) -> None:
        self.fleet = fleet
        self.place = fleet.place()
        self._armed = armed
        self._half_sent = False
        fleet.keep_the_lease()
        self.first = fleet.start(self.place, TINYFORGE_INTERVAL="1s", **{STOP: stop.format(armed=armed)})
        self.second = fleet.start(TINYFORGE_INTERVAL="1s")
        for replica in (self.first, self.second):
            replica.process.says("stands by for the Lease")

    def elect(self, reached: Callable[[], object]) -> None:
        """Let the first one campaign alone, until it has come as far as `reached` waits for."""
        freeze(self.second)
        self.fleet.empty_the_lease()
        reached()
        wake(self.second)

    def lead(self) -> None:
        """Let the first one lead, and write."""
        self.elect(lambda: self.first.elected(1))
        self.fleet.journal.writes(1)

    def send_half(self, pattern: bytes) -> None:
        """Wait until the first one has sent what is before the pattern's group, and nothing behind it."""
        self._half_sent = True
        self.place.postgres.stop_at(pattern).result(DEADLINE)

    def open_a_transaction(self) -> None:
        """Have half of a pass's write sent, so that the fence has let it in and holds its lock for it."""
        self.send_half(behind_the_fence(self.fleet.leader[0], HOST))
        until(lambda: self.fleet.open_transactions, 1)

    def stop_from_now_on(self) -> None:
        """Let the first one stop itself when it is next at the step."""
        self._armed.touch()
        is_stopped(self.first)

    def wake(self) -> None:
        """Let the first one go on; first the rest of what it had half sent arrives."""
        if self._half_sent:
            self.place.postgres.go_on()
            time.sleep(LATE)
        wake(self.first)

    def first_leads(self) -> None:
        """See that the first one leads its term as if nothing had happened."""
        self.fleet.index.passes(HOST)
        self._one_leads(1, by=(1, 0))
        assert self.fleet.journal.writers() == [1]

    def second_leads(self, epoch: int) -> None:
        """See that the second one leads, and that it was waited for."""
        self.second.elected(epoch)
        self.fleet.journal.writes(epoch)
        self._one_leads(epoch, by=(0, 1))

    def _one_leads(self, epoch: int, *, by: tuple[int, int]) -> None:
        holder, claimed = self.fleet.leader
        assert claimed == epoch
        assert self.fleet.lease() == holder
        assert self.fleet.journal.stale() == []
        assert tuple(it.metric("tinyforge_leader") if it.process.runs else 0 for it in (self.first, self.second)) == by
        assert self.second.process.runs, self.second.process


def stands_by(pair: Pair) -> None:
    """It had taken nothing yet: the other one leads, and it is a standby as before, that leads when its turn comes."""
    pair.second_leads(1)
    time.sleep(LATE)
    assert pair.first.process.runs, pair.first.process
    assert pair.first.process.said("leads with epoch") == 0
    pair.second.process.signal(signal.SIGTERM)
    pair.first.elected(2)
    pair.fleet.journal.writes(2)
    assert pair.fleet.journal.stale() == []
    assert pair.fleet.journal.writers() == [1, 2]


def leads(pair: Pair) -> None:
    """Its Lease is valid, and nobody could have deposed it."""
    pair.first.elected(1)
    time.sleep(MISSED)
    pair.first_leads()


def leads_or_is_deposed(pair: Pair) -> None:
    """It was away for as long as it takes to be missed: it leads on, or the other one does."""
    time.sleep(MISSED)
    if pair.first.process.runs:
        pair.first_leads()
    else:
        is_deposed(pair)


def is_deposed(pair: Pair) -> None:
    """It ends, and says to whom it lost, or that its campaign came to nothing."""
    assert pair.first.process.ends() == 1, pair.first.process
    pair.second_leads(2)
    (said,) = [message for message in pair.first.process.messages if message.startswith(LAST_WORDS)]
    lost = f"{pair.fleet.leader[0]} " in said and "with epoch 2" in said
    assert lost or said.startswith(CAMPAIGN_FAILED), said
    writers = pair.fleet.journal.writers()
    assert writers == sorted(writers)


def never_leads(pair: Pair) -> None:
    """It ends, and nothing was ever written by it."""
    is_deposed(pair)
    assert pair.fleet.journal.writers() == [2]


def ends(pair: Pair) -> None:
    """It ends as it was asked to, whether or not the Lease was still its own to give back."""
    assert pair.first.process.ends() == 0, pair.first.process
    pair.second_leads(2)
    assert pair.fleet.journal.writers() == [1, 2]
