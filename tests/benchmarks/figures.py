"""What the benchmark prints: figures under their section's title, a column a size, and what each is aimed at.

A target that is missed is printed as missed and ends nothing. Figures never gate: on another machine, or beside another load, they are
others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class AtMost:
    """A target from above, with the text that the table shows for it."""

    limit: float
    text: str

    def is_met(self, value: float) -> bool:
        return value <= self.limit


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A target from below, with the text that the table shows for it."""

    limit: float
    text: str

    def is_met(self, value: float) -> bool:
        return value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: `form` is how it is written (`"{:.1f} ms"`)."""

    name: str
    value: float
    form: str
    target: AtMost | AtLeast | None = None

    @property
    def cell(self) -> Text:
        """The number, and whether it is what it should be."""
        written = Text(self.form.format(self.value))
        if self.target is None:
            return written
        verdict = ("met", "green") if self.target.is_met(self.value) else ("missed", "bold red")
        return written.append("  ").append(*verdict)


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: tuple[Figure, ...]


def milliseconds(name: str, seconds: float) -> Figure:
    """A time, shown in milliseconds."""
    return Figure(name, 1000 * seconds, "{:.1f} ms")


def table(sections: Mapping[str, Sequence[Section]]) -> Table:
    """The sections of every size side by side, each under its column's title; all sizes have the same ones."""
    printed = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    printed.add_column("")
    for title in sections:
        printed.add_column(title, justify="right", no_wrap=True)
    printed.add_column("target", no_wrap=True)
    for same in zip(*sections.values(), strict=True):
        printed.add_row(Text(same[0].title, style="bold"))
        for figures in zip(*(section.figures for section in same), strict=True):
            target = figures[0].target
            printed.add_row(f"  {figures[0].name}", *(figure.cell for figure in figures), target.text if target else "")
        printed.add_section()
    return printed
