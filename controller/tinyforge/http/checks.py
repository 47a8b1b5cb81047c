"""What a check found, as whoever probes it gets to read it: a kubelet puts the text of a failed probe into the pod's events."""

from collections.abc import Callable, Sequence

from tinyforge.domain.texts import printable

Check = Callable[[], Sequence[str]]
"""Returns a sentence for each thing that is wrong now, none if all is well; called for every probe, so it only looks at what is known."""

_MOST_LINES = 20
_LONGEST_LINE = 300  # characters; with 21 of them within the 10 KiB that a kubelet reads of an answer


def report(wrong: Sequence[str], standing: str = "") -> str:
    """Return a line for each of the first twenty sentences, and how many there are beyond; `ok` if there is none.

    Args:
        wrong: what is wrong.
        standing: what this process is, right or wrong; the last line, unless it is empty.
    """
    lines = [printable(sentence, _LONGEST_LINE) for sentence in wrong[:_MOST_LINES]] or ["ok"]
    if len(wrong) > _MOST_LINES:
        lines.append(f"and {len(wrong) - _MOST_LINES} more")
    if standing:
        lines.append(printable(standing, _LONGEST_LINE))
    return "".join(f"{line}\n" for line in lines)
