"""What passes found, as `sync` and `run --once` print it."""

from collections.abc import Mapping, Sequence
from typing import Any

from tinyforge.cli.output import Cell, Table, note, print_json, print_table
from tinyforge.cli.texts import text
from tinyforge.cli.verb import Failure

Pass = Mapping[str, Any]

_KEYS = ("host", "outcome", "reason", "message", "listed", "matched", "ignored", "written", "missing", "durationSeconds", "traceID")
_TITLES = ("HOST", "OUTCOME", "LISTED", "MATCHED", "IGNORED", "WRITTEN", "MISSING", "TOOK")
_WHY = "WHY"  # the last, for it may be long
_COUNTS = ("listed", "matched", "ignored", "written", "missing")
_STYLES = {"failed": "red", "changed": "green", "skipped": "yellow"}


def print_passes(passes: Sequence[Pass], *, as_json: bool) -> None:
    """Print passes, each as `tinyforge.reconcile.answers.describe_pass` describes it.

    Raises:
        Failure: one of them failed; they are printed all the same.
    """
    if as_json:
        print_json([{key: each.get(key, "") for key in _KEYS} for each in passes])  # a controller of the release before tells no traceID
    elif passes:
        print_table(_table(passes))
    else:
        note("No host is declared, so there is nothing to pass over.")
    failed = [each["host"] for each in passes if each["outcome"] == "failed"]
    if failed:
        raise Failure(f"no pass of {', '.join(failed)}; `tinyforge doctor` says how to mend it.")


def _table(passes: Sequence[Pass]) -> Table:
    """Return the passes, with a column of traces if one of them left any."""
    if not any(each.get("traceID") for each in passes):
        return Table((*_TITLES, _WHY), [_row(each) for each in passes])
    return Table((*_TITLES, "TRACE", _WHY), [_row(each, text(each.get("traceID", ""))) for each in passes])


def _row(each: Pass, *trace: Cell) -> list[Cell]:
    why = ": ".join(filter(None, (each["reason"], each["message"])))
    return [
        text(each["host"]),
        Cell(each["outcome"], _STYLES.get(each["outcome"], "")),
        *(Cell(str(each[name])) for name in _COUNTS),
        Cell(f"{each['durationSeconds'] * 1000:.0f} ms"),
        *trace,
        text(why),
    ]
