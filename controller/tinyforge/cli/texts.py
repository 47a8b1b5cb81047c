"""Facts in a few letters, as a person reads them in a table."""

from datetime import UTC, datetime

from tinyforge.cli.output import Cell

_STYLES = {
    "running": "green",
    "reachable": "green",
    "missing": "red",
    "failed": "red",
    "unreachable": "red",
    "engine_changed": "red",
    "unknown": "yellow",
    "stale": "yellow",
    "restarting": "yellow",
    "suspended": "yellow",
    "stopped": "dim",
}


def state(word: str, reason: str = "") -> Cell:
    """Return a state in its colour, with the reason for it."""
    return Cell(f"{word} ({reason})" if reason else word or "-", _STYLES.get(word, ""))


def text(value: str) -> Cell:
    """Return a text, or a dash if there is none."""
    return Cell(value or "-")


def short_id(container_id: str) -> str:
    """Return a container's id as Docker's own tables show it."""
    return container_id[:12]


def age(moment: datetime | None) -> str:
    """Return how long ago a moment was by this machine's clock: `12s`, `5m`, `30h`, `12d`; a dash if it never was."""
    return span((datetime.now(UTC) - moment).total_seconds()) if moment else "-"


def span(seconds: float) -> str:
    """Return a length of time in its largest fitting unit, whole; below zero (another machine's clock) is `0s`."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length or (unit == "m" and seconds >= length):
            return f"{int(seconds // length)}{unit}"
    return f"{max(int(seconds), 0)}s"


def moment(at: datetime) -> str:
    """Return a moment as people write it, in its own offset."""
    return f"{at:%Y-%m-%d %H:%M:%S %Z}".rstrip()
