r"""What a verb prints: a table, a tree, a JSON document, a note.

Names, labels and messages come from containers, engines and databases, so they are anybody's text: here, at the one way out, whatever
would not print as itself is written out (`\x1b`), and nothing of it is markup. On a terminal a table has colours and folds long cells;
piped it has a line a row and nothing is cut, as other programs like it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree

from tinyforge.objects.faults import escaped

_GAP = 2
_ENDLESS = 1 << 20  # columns: more than any line that is printed here has


class Cell(NamedTuple):
    """A text in a table, and its style on a terminal in rich's words."""

    text: str
    style: str = ""


class Table(NamedTuple):
    """Rows of cells under their titles."""

    titles: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Branch(NamedTuple):
    """A line of a tree, and what hangs on it."""

    cells: Sequence[Cell]
    branches: Sequence["Branch"] = ()


def plain(text: str) -> str:
    """Return `text` on one line, with everything that would not print as itself written out."""
    return text if text.isprintable() else escaped(text)


def terminal() -> Console:
    """Return stdout as rich knows it."""
    return Console()


def print_table(table: Table) -> None:
    """Print a table."""
    if sys.stdout.isatty():
        terminal().print(rendered(table))
    else:
        for line in _lines(table):
            click.echo(line)


def print_facts(facts: Mapping[str, Cell]) -> None:
    """Print facts about one thing, each on a line of its own behind its name."""
    width = max(map(cell_len, facts))
    for name, cell in facts.items():
        print_line(Cell(name.ljust(width + _GAP), "bold"), cell)


def print_line(*cells: Cell) -> None:
    """Print cells one behind the other, as they are, on a line of any length."""
    terminal().print(_line_of(cells), soft_wrap=True)


def print_tree(tree: Branch) -> None:
    """Print a tree: on a terminal long lines are folded between its branches, piped they are as long as they are."""
    console = terminal() if sys.stdout.isatty() else Console(width=_ENDLESS)
    console.print(_rich_tree(tree))


def rendered(table: Table) -> RichTable:
    """Return a table as rich prints it on a terminal."""
    rich_table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for title in table.titles:
        rich_table.add_column(title, overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(Text(plain(cell.text), style=cell.style) for cell in row))
    return rich_table


def print_json(document: object) -> None:
    """Print one JSON document, of an array each element on a line of its own.

    Times are ISO 8601 with their offset. All of it is ASCII, so no terminal takes any of it for a command.
    """
    if isinstance(document, list) and document:
        click.echo("[\n" + ",\n".join(json.dumps(element, default=_iso) for element in document) + "\n]")
    else:
        click.echo(json.dumps(document, default=_iso))


def note(text: str) -> None:
    """Tell a person something that is no fact of the answer."""
    for line in text.splitlines():
        click.echo(plain(line), err=True)


def _line_of(cells: Sequence[Cell]) -> Text:
    return Text.assemble(*((plain(cell.text), cell.style) for cell in cells))


def _rich_tree(branch: Branch) -> Tree:
    tree = Tree(_line_of(branch.cells), guide_style="dim")
    tree.children.extend(map(_rich_tree, branch.branches))
    return tree


def _lines(table: Table) -> list[str]:
    rows = [list(table.titles), *([plain(cell.text) for cell in row] for row in table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (text + " " * (width + _GAP - cell_len(text)) for text, width in zip(row, widths, strict=True))
    return "".join(padded).rstrip()


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
