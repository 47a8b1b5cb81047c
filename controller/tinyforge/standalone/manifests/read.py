"""A folder of manifests → what is declared, and everything that is wrong with it.

What cannot be used makes the reading incomplete, so that nothing is removed for it (rule P10); everything beside it counts. Two objects of
one kind and name are both refused: neither is known to be the one that is meant, so the one in force is held as it is.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from pydantic import ValidationError

from tinyforge.domain.declarations import Declared, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import EVERY_NAMESPACE
from tinyforge.domain.traces import Traceparent
from tinyforge.objects.docker_host import DockerHost
from tinyforge.objects.faults import FieldFault, escaped, excerpt, field_faults
from tinyforge.objects.metadata import API_VERSION, Metadata, traceparent_of
from tinyforge.objects.workload import Workload
from tinyforge.standalone.manifests.files import FileUnreadable, list_manifests, read_text
from tinyforge.standalone.manifests.nodes import Node, YamlFault, documents
from tinyforge.standalone.manifests.problems import Problem, field_problem, file_problem, place, yaml_problem

_MODELS: dict[str, type[DockerHost | Workload]] = {"DockerHost": DockerHost, "Workload": Workload}
_MOST_PROBLEMS = 100  # of one file; more of them help nobody
_MOST_PLACES = 3  # that one problem names


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReading:
    """What a folder declares, and what is wrong with it, in the order of files and lines."""

    reading: Reading
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """An object, the file and line that its name was written on, and where it says that it is traced."""

    object: DockerHost | Workload
    file: str
    line: int
    traceparent: Traceparent | None

    @property
    def origin(self) -> str:
        return place(self.file, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnusableHost:
    """A DockerHost of which only the name can be used; what is wrong with it are problems of their own."""

    name: str


_Found = _Written | _UnusableHost | Problem


def read_folder(folder: Path) -> FolderReading:
    """Read every manifest of `folder`. Whatever is in it, this ends, and within bounded memory a file.

    Raises:
        FolderUnreadable: the folder itself cannot be read.
    """
    listing = list_manifests(folder)
    written: list[_Written] = []
    unusable: set[str] = set()
    problems = [file_problem(below, message) for below, message in listing.unreadable]
    for found in (it for file in listing.files for it in _contents(file)):
        if isinstance(found, Problem):
            problems.append(found)
        elif isinstance(found, _UnusableHost):
            unusable.add(found.name)
        else:
            written.append(found)
    return _sorted_out(written, unusable, problems)


def _contents(file: str) -> Iterator[_Found]:
    try:
        text = read_text(file)
    except FileUnreadable as error:
        yield file_problem(file, str(error), line=error.line)
        return
    for document in documents(text):
        if isinstance(document, YamlFault):
            yield yaml_problem(file, document)
        elif document.value is not None:
            yield from _object(file, document)


def _object(file: str, document: Node) -> Iterator[_Found]:
    if not isinstance(document.value, dict):
        yield file_problem(file, "a document must be a mapping with apiVersion, kind, metadata and spec", line=document.line)
        return
    kind = document.value.get("kind")
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        yield field_problem(file, _no_kind_of_ours(kind), document)
        return
    try:
        written = model.model_validate(document.value)
    except ValidationError as error:
        yield from (field_problem(file, fault, document) for fault in field_faults(error, model))
        yield from _unusable_host(document.value) if model is DockerHost else ()
    else:
        line = document.line_of(("metadata", "name"))
        yield _Written(object=written, file=file, line=line, traceparent=traceparent_of(document.value))


def _unusable_host(document: Mapping[str, object]) -> Iterator[_UnusableHost]:
    with suppress(ValidationError):
        yield _UnusableHost(name=Metadata.model_validate(document.get("metadata")).name)


def _no_kind_of_ours(kind: object) -> FieldFault:
    allowed = f"allowed: {' and '.join(_MODELS)} of {API_VERSION}"
    if not isinstance(kind, str):
        return FieldFault(path=("kind",), value="", message=f"is missing; {allowed}" if kind is None else f"must be text; {allowed}")
    near = difflib.get_close_matches(kind[:80], _MODELS, n=1)
    hint = f"did you mean {near[0]}?" if near else "other objects have no place in this folder"
    return FieldFault(path=("kind",), value=f'"{excerpt(kind)}"', message=f"{allowed}; {hint}")


def _sorted_out(written: Sequence[_Written], unusable_hosts: Set[str], unusable: Sequence[Problem]) -> FolderReading:
    namesakes: dict[str, list[_Written]] = defaultdict(list)
    for it in written:
        namesakes[it.object.id].append(it)  # a workload's id has a slash, a host's never
    alone = [group[0] for group in namesakes.values() if len(group) == 1]
    twice = [group for group in namesakes.values() if len(group) > 1]
    hosts = tuple(Declared(value=_host(it.object), origin=it.origin) for it in alone if isinstance(it.object, DockerHost))
    held_hosts = unusable_hosts | {group[0].object.id for group in twice if isinstance(group[0].object, DockerHost)}
    reading = Reading(
        hosts=hosts,
        workloads=tuple(
            Declared(value=it.object.to_declared(), origin=it.origin, traceparent=it.traceparent)
            for it in alone
            if isinstance(it.object, Workload)
        ),
        complete=not unusable,
        held_hosts=frozenset(held_hosts - {it.value.name for it in hosts}),
        held_workloads=frozenset(group[0].object.id for group in twice if isinstance(group[0].object, Workload)),
    )
    return FolderReading(reading=reading, problems=_most([*unusable, *(problem for group in twice for problem in _namesakes(group))]))


def _host(written: DockerHost) -> Host:
    """Return a host for whom a list of namespaces that is not written allows all: the files of one folder are one person's."""
    host = written.to_host()
    return host if "allowed_namespaces" in written.spec.model_fields_set else replace(host, allowed_namespaces=(EVERY_NAMESPACE,))


def _namesakes(group: Sequence[_Written]) -> Iterator[Problem]:
    """Return a problem for each of several objects of one name; it names the others, or some of them."""
    named = f"{type(group[0].object).__name__} {group[0].object.id}"
    first = group[: _MOST_PLACES + 1]
    for it in group:
        others = [other.origin for other in first if other is not it][:_MOST_PLACES]
        left_out = len(group) - 1 - len(others)
        places = ", ".join(others) + (f" and {left_out} more places" if left_out else "")
        yield Problem(
            file=escaped(it.file),
            line=it.line,
            field="metadata.name",
            message=f"{named} is written here and in {places}; none of them counts until only one is left",
        )


def _most(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Put problems in the order of files and lines, and say of those beyond what helps only how many they are."""
    kept: list[Problem] = []
    for file, group in groupby(sorted(problems, key=lambda problem: (problem.file, problem.line)), key=lambda problem: problem.file):
        of_file = list(group)
        kept += of_file[:_MOST_PROBLEMS]
        if len(of_file) > _MOST_PROBLEMS:
            kept.append(Problem(file=file, message=f"{len(of_file) - _MOST_PROBLEMS} more problems are not shown"))
    return tuple(kept)
