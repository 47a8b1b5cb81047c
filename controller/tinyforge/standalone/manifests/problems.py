"""What is wrong with a folder of manifests, each with its place and the way out, for people on a terminal."""

from dataclasses import dataclass

from tinyforge.objects.faults import FieldFault, dotted, escaped, excerpt
from tinyforge.standalone.manifests.nodes import Node, YamlFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in one place.

    `line` is 0 where the whole file is meant, `field` is "" where no field is, `value` is "" where it would not help or may be secret. All
    of it is printable as it is.
    """

    file: str
    message: str
    line: int = 0
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        return " ".join(
            filter(
                None, (f"{place(self.file, self.line)}:", self.field and f"{self.field}:", self.value and f"{self.value} —", self.message)
            )
        )


def place(file: str, line: int) -> str:
    """Return a place as people and editors write it: `web.yaml:7`."""
    return f"{escaped(file)}:{line}" if line else escaped(file)


def file_problem(file: str, message: str, *, line: int = 0) -> Problem:
    """Return a problem of a whole file, or of one line that no document was made of."""
    return Problem(file=escaped(file), message=message, line=line)


def yaml_problem(file: str, fault: YamlFault) -> Problem:
    """Return the problem that a document which is not usable YAML makes."""
    return Problem(file=escaped(file), message=str(fault), line=fault.line, field=dotted(fault.path))


def field_problem(file: str, fault: FieldFault, document: Node) -> Problem:
    """Return the problem that a fault of a field makes, with the line of the field, or of what it is missing from."""
    node = document.at(fault.path)
    as_written = fault.value if node is None or isinstance(node.value, str) else excerpt(node.text)
    return Problem(
        file=escaped(file),
        message=fault.message,
        line=document.line_of(fault.path),
        field=dotted(fault.path),
        value=fault.value and as_written,
    )
