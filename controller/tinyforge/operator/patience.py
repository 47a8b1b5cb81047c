"""How long to wait before the API server is asked again: for one object, and for all of them. Pure: the time and the chance are given.

What the API server says of one object is no matter of the others. That it does not answer, or asks for less, is a matter of all: then one
request at a time finds out whether it is back, whatever the number of objects that wait.
"""

from tinyforge.cluster import ClusterUnavailable

SHORTEST = 0.5
LONGEST = 60.0
"""The longest that an object waits, in seconds."""

_LONGEST_PAUSE = 2.0  # as kopf's watches: one request every second or two costs nobody anything, and soon sees that the server is back
_LONGEST_OBEYED = 600.0  # a proxy that says "tomorrow" would have statuses lie for a day
_MATTERS_OF_ALL = (None, 429, 502, 503, 504)


def delay_after(failures: int, *, chance: float, longest: float = LONGEST) -> float:
    """Return how many seconds to wait after so many failures in a row: at least half of a span that doubles from 1 s up to `longest`.

    `chance`, from 0 to 1, spreads what failed together.
    """
    span: float = min(2.0 * SHORTEST * 2 ** min(failures - 1, 16), longest)
    return span * (0.5 + chance / 2)


def longest_delay(*, chance: float) -> float:
    """Return how many seconds to wait when only somebody's doing can help."""
    return LONGEST * (0.5 + chance / 2)


def asked_for(error: ClusterUnavailable) -> float:
    """Return how many seconds the server asks to be left alone, 0 if it does not; more than ten minutes are not obeyed."""
    return min(error.retry_after or 0.0, _LONGEST_OBEYED)


class ServerPause:
    """Whether the API server may be asked, and by how many at once.

    `until` is when the pause ends. `answers` counts the requests that were answered, by whatever answer.

    Args:
        places: how many requests may be under way while it answers.
    """

    def __init__(self, *, places: int) -> None:
        self.until = 0.0
        self.answers = 0
        self._places = places
        self._failures = 0

    def places(self, now: float) -> int:
        """Return how many requests may be under way: none during a pause, and one until it is known that the server is back."""
        if now < self.until:
            return 0
        return 1 if self._failures else self._places

    def failed(self, error: ClusterUnavailable, *, now: float, chance: float) -> bool:
        """Take note of a failure, and return whether it is a matter of all. Those that were under way together count as one."""
        if error.status not in _MATTERS_OF_ALL:
            self.answered(now)
            return False
        if now >= self.until:
            self._failures += 1
            self.until = now + delay_after(self._failures, chance=chance, longest=_LONGEST_PAUSE)
        self.until = max(self.until, now + asked_for(error))
        return True

    def answered(self, now: float) -> None:
        """Take note of an answer, which ends the trouble unless it was asked for before the pause."""
        self.answers += 1
        if now >= self.until:
            self._failures = 0
