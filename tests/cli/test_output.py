"""Tables, documents and notes: whatever is in them, they are printed as text."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tinyforge.cli.output import Branch, Cell, Table, note, plain, print_json, print_line, print_table, print_tree
from tinyforge.cli.texts import age, span, state

Capture = pytest.CaptureFixture[str]

TEXTS = st.text(st.characters(), max_size=12)


@given(st.text(st.characters()))
def test_plain_text_is_printable_and_on_one_line(text: str) -> None:
    assert plain(text).isprintable()
    assert "\n" not in plain(text)


@given(st.text(st.characters()).filter(str.isprintable))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_columns_begin_where_their_titles_do_and_no_line_has_a_tail(capsys: Capture) -> None:
    print_table(Table(("A", "LONG TITLE", "C"), [(Cell("日本"), Cell("x", "green"), Cell("")), (Cell("a"), Cell("y"), Cell("end"))]))
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["A     LONG TITLE  C", "日本  x", "a     y           end"]


@given(rows=st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_table_has_a_line_a_row_and_aligned_columns_whatever_is_in_it(rows: list[tuple[str, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("click.echo", lines.append)
        print_table(Table(("ONE", "TWO"), [(Cell(one), Cell(f"|{two}")) for one, two in rows]))
    assert len(lines) == len(rows) + 1
    width = max([cell_len(plain(one)) for one, _ in rows] + [3])
    for line, (one, two) in zip(lines[1:], rows, strict=True):
        assert line == (plain(one) + " " * (width + 2 - cell_len(plain(one))) + plain(f"|{two}")).rstrip()


def test_a_line_is_neither_cut_nor_wrapped_nor_marked_up(capsys: Capture) -> None:
    print_line(Cell("[red]x[/red] ", "bold"), Cell("y" * 500))
    assert capsys.readouterr().out == f"[red]x[/red] {'y' * 500}\n"


def test_a_tree_in_a_pipe_has_a_line_a_branch_of_any_length_and_prints_everything_as_text(capsys: Capture) -> None:
    leaf = Branch([Cell("[red]x[/red] ", "bold"), Cell("\x1b[31m\n" + "y" * 500)])
    print_tree(Branch([Cell("root")], [Branch([Cell("step")], [leaf]), leaf]))
    shown = f"[red]x[/red] \\x1b[31m\\n{'y' * 500}"
    assert capsys.readouterr().out.splitlines() == ["root", "├── step", f"│   └── {shown}", f"└── {shown}"]


def test_times_in_json_are_iso_8601_with_their_offset(capsys: Capture) -> None:
    print_json({"at": datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))})
    assert json.loads(capsys.readouterr().out) == {"at": "2025-01-02T03:04:05+02:00"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters()),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(st.characters()), children, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_one_document_of_ascii_whatever_is_in_it(document: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("click.echo", printed.append)
        print_json(document)
    assert json.loads("\n".join(printed)) == document
    assert all(char.isprintable() and char.isascii() for line in printed for char in line.replace("\n", ""))


def test_what_has_no_place_in_json_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="object has no place in JSON"):
        print_json(object())


def test_a_note_goes_to_stderr_line_by_line(capsys: Capture) -> None:
    note("one\ntwo\x1b")
    assert capsys.readouterr() == ("", "one\ntwo\\x1b\n")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (119, "1m"),
        (3600, "60m"),
        (7199, "119m"),
        (7200, "2h"),
        (172799, "47h"),
        (172800, "2d"),
    ],
)
def test_a_span_is_in_its_largest_fitting_unit(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_an_age_is_since_then_and_a_dash_if_there_was_no_then() -> None:
    assert age(datetime.now(UTC) - timedelta(minutes=5, seconds=30)) == "5m"
    assert age(None) == "-"


def test_a_state_has_its_colour_and_its_reason() -> None:
    assert state("running") == Cell("running", "green")
    assert state("missing", "ContainerGone") == Cell("missing (ContainerGone)", "red")
    assert state("anything Docker says") == Cell("anything Docker says", "")
    assert state("") == Cell("-", "")
