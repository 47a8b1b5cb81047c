"""YAML as far as it is read here, and what is told where it is not."""

import pytest

from tests.standalone.manifests.folder import HOST, workload
from tinyforge.standalone.manifests.nodes import Node, YamlFault, documents


def only(text):
    (document,) = documents(text)
    assert isinstance(document, Node), document
    return document.value


def fault(text):
    (document,) = documents(text)
    assert isinstance(document, YamlFault), document
    return document.line, ".".join(map(str, document.path)), str(document)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"), ("'7'", "7"), ('"true"', "true"), ("", None), ("~", None), ("null", None), ("true", True), ("No", False),
        ("on", True), ("7", 7), ("-7", -7), ("+7", 7), ("1_000", 1000), ("0x1F", 31), ("0b11", 3), ("0o17", 15), ("017", 15), ("08", 8.0),
        ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("-1E-2", -0.01), ("22:22", "22:22"), ("1:30.5", "1:30.5"), ("=", "="), ("y", "y"),
        ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"), ("-", "-"), ("0b2", "0b2"), ("0x", "0x"), ("_1", "_1"), ("nUll", "nUll"),
        ("127.0.0.1:80", "127.0.0.1:80"),
    ],
)  # fmt: skip
def test_a_bare_word_stands_for_what_kubernetes_takes_it_for(written, value):
    read = only(f"a: {written}\n")["a"] if written != "-" else only('["-"]')[0]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("number", [".nan", "-.inf", ".Inf", "1e999", "9" * 65, "0x" + "f" * 65])
def test_a_number_that_json_cannot_write_is_refused(number):
    assert fault(f"a:\n  b: {number}\n")[:2] == (2, "a.b")


def test_lists_mappings_aliases_and_every_style_of_text_are_read():
    text = "a: &x [1, {b: c}]\nd: *x\ne: |\n  one\n  two\nf: >-\n  one\n  two\n? g\n: h\n"
    assert only(text) == {"a": [1, {"b": "c"}], "d": [1, {"b": "c"}], "e": "one\ntwo\n", "f": "one two", "g": "h"}


def test_a_key_is_the_text_that_was_written():
    assert only("on: 1\n80: 2\n'': 3\n") == {"on": 1, "80": 2, "": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, "a", "is written twice, first in line 1")),
        ("x: {b: 1,\n 'b': 2}\n", (2, "x.b", "is written twice, first in line 1")),
        ("a: !!python/object:os.system {}\n", (1, "a", "the tag tag:yaml.org,2002:python/object:os.system is not allowed")),
        ("a: !secret x\n", (1, "a", "the tag !secret is not allowed")),
        ("a: *b\n", (1, "a", "the alias *b names no anchor")),
        ("a: &b\n  - *b\n", (2, "a.0", "the alias *b names no anchor that was finished before it")),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", (3, "c", "the merge key << is not allowed")),
        ("? [a]\n: b\n", (1, "", "the name of a field must be text")),
        ("a:\n\tb: c\n", (2, "", "a tab indents this line")),
        ("a: b\n  c: d\n", (2, "", "is not YAML: mapping values are not allowed in this context")),
        ("a:\n  [1,\n   2\nb: 3\n", (4, "", "is not YAML: while parsing a flow sequence that begins in line 2, did not find expected")),
        ("a: b\nc: [1, 2\n\n", (2, "", "is not YAML: while parsing a flow sequence that begins in line 2")),
        ("%YAML 1.2\n", (1, "", "a directive, as %YAML, is not allowed")),
        ("a: b\nc: \x00\n", (2, "", "holds the character U+0000, which YAML does not allow")),
        ("a: b\n\x1b[31m: c\n", (2, "", "holds the character U+001B")),
        ("a: b\n\ufeffc: d\n", (2, "", "holds the character U+FEFF")),
        ("a: '\n", (1, "", "is not YAML")),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_with_its_line_and_the_reason(text, told):
    line, path, message = fault(text)
    assert (line, path) == told[:2]
    assert message.startswith(told[2])


def test_an_anchor_is_known_in_its_own_document_only():
    assert [type(document) for document in documents("a: &x 1\n---\nb: *x\n")] == [Node, YamlFault]


def test_a_document_that_cannot_be_read_leaves_the_others_even_an_unclosed_quote_or_bracket():
    texts = ["a: 1\n", "b: 'x\n", "c: 3\n", "d: [x\n", "e: 5\n... # end\n", "f: 6\n"]
    read = list(documents("---\n".join(texts)))
    assert [document.value for document in read if isinstance(document, Node)] == [{"a": 1}, {"c": 3}, {"e": 5}, {"f": 6}]


def test_three_dashes_inside_a_text_end_no_document_unless_they_start_a_line():
    assert only("a: |\n  one\n  ---\n  two\nb: ---x\nc: x---\n") == {"a": "one\n---\ntwo\n", "b": "---x", "c": "x---"}


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(folder):
    folder.write("a.yaml", b"# one\n# \xff\n")
    folder.write("b.yaml", HOST.encode("utf-16"))
    assert folder.problems() == [f"manifests/{file}: is not UTF-8; save it as UTF-8" for file in ("a.yaml:2", "b.yaml:1")]


def test_a_file_may_begin_with_a_byte_order_mark(folder):
    folder.write("a.yaml", b"\xef\xbb\xbf" + workload("web").encode())
    assert folder.workloads() == ["default/web"]
