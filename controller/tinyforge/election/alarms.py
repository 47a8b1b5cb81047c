"""What of a term makes the watchdog end the process. An alarm returns why, or nothing as long as all is well; it is asked in a thread."""

from collections.abc import Callable

from tinyforge.election.renewing import Renewer

Alarm = Callable[[], str]

_END_SECONDS = 2.0
"""How long the process may take to end once its Lease is lost, and whatever changes an engine once the Lease is no longer valid."""


def overdue_end(renewer: Renewer, *, now: Callable[[], float]) -> Alarm:
    """Return the alarm that the Lease was lost and the process is still there."""

    def alarm() -> str:
        if renewer.lost and now() >= renewer.lost_at + _END_SECONDS:
            return f"the Lease was lost {now() - renewer.lost_at:.1f} s ago, and this process has not ended: {renewer.lost}"
        return ""

    return alarm


def overdue_mutations(renewer: Renewer, *, under_way: Callable[[], int], now: Callable[[], float]) -> Alarm:
    """Return the alarm that engines are being changed though the Lease is no longer valid; `under_way` says how many changes there are."""

    def alarm() -> str:
        over = now() - renewer.valid_until
        if over >= _END_SECONDS and (count := under_way()):
            return f"the Lease has not been valid for {over:.1f} s, and {count} changes of engines have not stopped"
        return ""

    return alarm
