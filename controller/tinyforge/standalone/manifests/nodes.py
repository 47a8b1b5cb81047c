"""YAML text → documents, every value with its line, at a bounded cost whatever the text.

PyYAML's parser feeds a composer of our own, because its own composer is recursive (100,000 opening brackets end the process with a
segmentation fault), writes out what aliases repeat, takes the last of two equal keys, and keeps no lines. There are no tags and no merge
keys.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.events import AliasEvent, DocumentStartEvent, Event, MappingEndEvent, MappingStartEvent, NodeEvent, ScalarEvent, SequenceEndEvent

from tinyforge.objects.faults import excerpt
from tinyforge.standalone.manifests.scalars import Scalar, plain_value

MAX_DEPTH = 64
MAX_NODES = 100_000  # of one document
MAX_FILE_NODES = 1_000_000
MAX_DOCUMENTS = 10_000  # of one file

Path = tuple[str | int, ...]
Value = Scalar | list["Value"] | dict[str, "Value"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# YAML allows this at the start of a line nowhere else, not even in a text of several lines.
_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")  # YAML 1.1, 5.1; no BOM


class YamlFault(Exception):
    """A document that cannot be used, with the line at fault and the path to it as far as there is one."""

    def __init__(self, line: int, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.line = line
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, and the lines that it and everything in it were written on.

    `text` is a scalar as it was written, `keys` are the lines of a mapping's keys. `size` counts the values in it and `height` their
    levels, with what its aliases stand for.
    """

    value: Value
    line: int
    text: str = ""
    keys: Mapping[str, int] = field(default_factory=dict)
    children: Mapping[str | int, "Node"] = field(default_factory=dict)
    size: int = 1
    height: int = 0

    def at(self, path: Path) -> "Node | None":
        """Return what is at `path`, or None if nothing is."""
        node: Node | None = self
        for step in path:
            node = node.children.get(step) if node else None
        return node

    def line_of(self, path: Path) -> int:
        """Return the line of the last step of `path` that was written: that of its key, where it has one."""
        node, line = self, self.line
        for step in path:
            if step not in node.children:
                break
            line = node.keys.get(str(step), node.children[step].line)
            node = node.children[step]
        return line


def documents(text: str) -> Iterator[Node | YamlFault]:
    """Take a file's text apart into its documents; one that cannot be used is a fault, and the others are there all the same."""
    composer = _Composer()
    for number, (line, piece) in enumerate(_pieces(text)):
        if number >= MAX_DOCUMENTS:
            yield YamlFault(line, f"the file has more than {MAX_DOCUMENTS:,} documents; split it")
            return
        try:
            yield from composer.documents(piece, line)
        except YamlFault as fault:
            yield fault


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut `text` before every document start. A piece that no document is in, as before the first `---`, is a piece all the same."""
    starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(text))]
    line = 1
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


class _Composer:
    """Makes nodes of one file's events, and counts them."""

    def __init__(self) -> None:
        self._file_nodes = 0
        self._nodes = 0
        self._line = 0
        self._events: Iterator[Event] = iter(())
        self._anchors: dict[str, Node] = {}

    def documents(self, piece: str, line: int) -> Iterator[Node]:
        """Compose the documents of `piece`, whose first line is number `line`.

        Raises:
            YamlFault: the rest of the piece cannot be used.
        """
        if found := _UNPRINTABLE.search(piece):
            name = f"U+{ord(found[0]):04X}"
            raise YamlFault(line + piece.count("\n", 0, found.start()), f"holds the character {name}, which YAML does not allow")
        self._line = line
        try:
            self._events = iter(yaml.parse(piece, Loader=_LOADER))
            for event in self._events:
                if isinstance(event, DocumentStartEvent):
                    self._nodes = 0
                    self._anchors = {}
                    yield self._node(next(self._events), ())
        except yaml.YAMLError as error:
            raise _not_yaml(error, piece, line) from error

    def _node(self, event: Event, path: Path) -> Node:
        line = self._line_of(event)
        if isinstance(event, AliasEvent):
            return self._repeated(event, path)
        self._count(1, line, path)
        self._check_depth(len(path), line, path)
        node = self._new(event, line, path)
        if isinstance(event, NodeEvent) and event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _new(self, event: Event, line: int, path: Path) -> Node:
        if tag := getattr(event, "tag", None):
            raise YamlFault(line, f"the tag {excerpt(tag)} is not allowed; put text in quotes and leave everything else bare", path)
        if isinstance(event, ScalarEvent):
            return Node(value=self._scalar(event, line, path), line=line, text=event.value)
        if isinstance(event, MappingStartEvent):
            return self._mapping(line, path)
        return self._sequence(line, path)

    def _scalar(self, event: ScalarEvent, line: int, path: Path) -> Scalar:
        is_plain, _ = event.implicit
        try:
            return plain_value(event.value) if is_plain else event.value
        except ValueError as error:
            raise YamlFault(line, str(error), path) from error

    def _sequence(self, line: int, path: Path) -> Node:
        before = self._nodes
        children: dict[str | int, Node] = {}
        while not isinstance(event := next(self._events), SequenceEndEvent):
            index = len(children)
            children[index] = self._node(event, (*path, index))
        value: Value = [child.value for child in children.values()]
        return Node(value=value, line=line, children=children, size=1 + self._nodes - before, height=_height(children))

    def _mapping(self, line: int, path: Path) -> Node:
        before = self._nodes
        keys: dict[str, int] = {}
        children: dict[str | int, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key, key_line = self._key(event, path), self._line_of(event)
            if key in keys:
                raise YamlFault(key_line, f"is written twice, first in line {keys[key]}", (*path, key))
            keys[key] = key_line
            children[key] = self._node(next(self._events), (*path, key))
        value: Value = {key: children[key].value for key in keys}
        return Node(value=value, line=line, keys=keys, children=children, size=1 + self._nodes - before, height=_height(children))

    def _key(self, event: Event, path: Path) -> str:
        if not isinstance(event, ScalarEvent):
            raise YamlFault(self._line_of(event), "the name of a field must be text, written out", path)
        key = self._node(event, path).text
        if key == "<<":
            raise YamlFault(self._line_of(event), "the merge key << is not allowed; write the fields out", path)
        return key

    def _repeated(self, event: AliasEvent, path: Path) -> Node:
        line = self._line_of(event)
        node = self._anchors.get(str(event.anchor))
        if node is None:
            raise YamlFault(line, f"the alias *{excerpt(str(event.anchor))} names no anchor that was finished before it", path)
        self._count(node.size, line, path)
        self._check_depth(len(path) + node.height, line, path)
        return node

    def _count(self, nodes: int, line: int, path: Path) -> None:
        self._nodes += nodes
        self._file_nodes += nodes
        if self._nodes > MAX_NODES:
            raise YamlFault(line, f"the document has more than {MAX_NODES:,} values, with what its aliases stand for", path)
        if self._file_nodes > MAX_FILE_NODES:
            raise YamlFault(line, f"the file has more than {MAX_FILE_NODES:,} values, with what its aliases stand for; split it", path)

    def _check_depth(self, depth: int, line: int, path: Path) -> None:
        if depth > MAX_DEPTH:
            raise YamlFault(line, f"is nested more than {MAX_DEPTH} levels deep", path[:3])

    def _line_of(self, event: Event) -> int:
        return self._line + (event.start_mark.line if event.start_mark else 0)


def _height(children: Mapping[str | int, Node]) -> int:
    return 1 + max((child.height for child in children.values()), default=0)


def _not_yaml(error: yaml.YAMLError, piece: str, first_line: int) -> YamlFault:
    mark, context_mark = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    index = min(mark.line, piece.rstrip().count("\n")) if mark else 0  # an end that comes too soon is noticed behind the last line
    indent = re.match(r"[ \t]*", "".join(piece.splitlines()[index : index + 1]))
    if indent and "\t" in indent[0]:
        return YamlFault(first_line + index, "a tab indents this line; YAML takes blanks only")
    if piece.lstrip().startswith("%"):
        return YamlFault(first_line, "a directive, as %YAML, is not allowed; take the line out")
    context = f"{getattr(error, 'context', '')} that begins in line {first_line + context_mark.line}, " if context_mark else ""
    return YamlFault(first_line + index, f"is not YAML: {context}{getattr(error, 'problem', error)}")
