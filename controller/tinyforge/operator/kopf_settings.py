"""How kopf is set, and why: its defaults are for operators that may end, write to their objects and start anew; ours does none of that.

What is said here of kopf was measured on 1.45.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import kopf

from tinyforge.operator.kopf_storage import NoDiffBase, NoProgress

FINALIZER = "tinyforge.dev/finalizer"
"""What keeps a deleted object until its deletion was carried out. To delete one without an operator, take it out by hand."""


@dataclass(frozen=True, slots=True)
class Endless:
    """Delays of which the last one repeats for ever: kopf goes through them anew for each request, so a generator would not do."""

    delays: tuple[float, ...]

    def __iter__(self) -> Iterator[float]:
        """Yield the delays."""
        return itertools.chain(self.delays, itertools.repeat(self.delays[-1]))


def kopf_settings() -> kopf.OperatorSettings:
    """Return the settings of our operator."""
    settings = kopf.OperatorSettings()
    # kopf would watch our definitions, and once one is being deleted let its objects be with our finalizer on them: neither would ever be
    # gone. And if it was given namespaces, it would ask for the list of all there are, for ever where that is refused, and watch none.
    settings.scanning.disabled = True
    # By default a minute of 500s or 403s on one watch ends the operator. These never give up, and relist half a second after the return.
    settings.networking.error_backoffs = Endless((0.2, 0.5, 1.0, 2.0))
    settings.networking.request_timeout = 5.0
    settings.networking.connect_timeout = 2.0
    settings.watching.connect_timeout = 2.0
    settings.watching.reconnect_backoff = 0.5
    # A watch that says nothing for so long is asked anew: a dead link says nothing either. By default that takes 70 s.
    settings.watching.inactivity_timeout = 10.0
    # Events are ours to post, when an outcome changes; kopf's would come with every tick.
    settings.posting.enabled = False
    # One leader is our own doing: kopf's peering freezes two replicas of one priority both.
    settings.peering.standalone = True
    # A process that does not end is ended by whoever waits for it, not by kopf. What it has still to tell at its end the next list tells.
    settings.process.ultimate_exiting_timeout = None
    settings.queueing.exit_timeout = 0.2
    # kopf looks once whether the timer of a deleted object has stopped, and if not the finalizer stays: it would make a note on the object
    # to look again, and `NoProgress` takes none. So that look is given time enough; a timer of ours that is told to stop does so at once.
    settings.background.instant_exit_timeout = 2.0
    settings.persistence.finalizer = FINALIZER
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    return settings
