"""What engines answer, decoded straight into typed values.

The decoders raise `EngineError` for everything that is not wholly what it should be: a list that is wrong in one place counts as no list
(rule P4). Their messages name places (`$[3].Created`), never values, since a label's value may be a secret.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from tinyforge.domain.containers import Container
from tinyforge.domain.texts import printable
from tinyforge.ports import EngineError, EngineReason

T = TypeVar("T")

_Text = Annotated[str, msgspec.Meta(max_length=255)]


class Info(msgspec.Struct, frozen=True, rename={"engine_id": "ID", "version": "ServerVersion", "system_time": "SystemTime"}):
    """What is read of `GET /info`."""

    engine_id: Annotated[_Text, msgspec.Meta(min_length=1)]
    version: _Text
    system_time: _Text = ""

    @property
    def clock(self) -> datetime | None:
        """The engine's own clock when it answered; None if it did not say, or not in a way that can be read."""
        try:
            clock = datetime.fromisoformat(self.system_time)
        except ValueError:
            return None
        return clock if clock.tzinfo else None


class _Labelled(msgspec.Struct, frozen=True, rename={"id": "Id", "labels": "Labels"}):
    """One entry of a container list, for all its labels and nothing else."""

    id: str
    labels: dict[str, str] | None = None


class _Complaint(msgspec.Struct, frozen=True):
    """What an engine answers with an error status."""

    message: str


_containers = msgspec.json.Decoder(tuple[Container, ...])
_labelled = msgspec.json.Decoder(tuple[_Labelled, ...])
_info = msgspec.json.Decoder(Info)
_complaint = msgspec.json.Decoder(_Complaint)


def read_containers(body: bytes | bytearray) -> Sequence[Container]:
    """Decode a container list.

    Raises:
        EngineError: it is no list of containers or names one twice.
    """
    containers = _read(_containers, body)
    if len({container.id for container in containers}) != len(containers):
        raise EngineError(EngineReason.ANSWER_UNREADABLE, "the engine listed a container twice")
    return containers


def read_labels(body: bytes | bytearray, container_id: str) -> Mapping[str, str]:
    """Decode all labels of one container from a list; empty if it is not there.

    Raises:
        EngineError: it is no list of containers.
    """
    return next((entry.labels or {} for entry in _read(_labelled, body) if entry.id == container_id), {})


def read_info(body: bytes | bytearray) -> Info:
    """Decode who an engine is.

    Raises:
        EngineError: it does not say, or not in printable text.
    """
    info = _read(_info, body)
    if not (info.engine_id.isprintable() and info.version.isprintable()):
        raise EngineError(EngineReason.ANSWER_UNREADABLE, "the engine's id or version is not printable text")
    return info


def read_complaint(body: bytes) -> str:
    """Return what an engine has to say about an error, fit for a message; empty if nothing."""
    try:
        return printable(_complaint.decode(body).message)
    except (ValueError, RecursionError):
        return printable(body.decode(errors="replace"))


def _read(decoder: msgspec.json.Decoder[T], body: bytes | bytearray) -> T:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:  # a nesting deeper than the interpreter's stack is a RecursionError
        raise EngineError(
            EngineReason.ANSWER_UNREADABLE, f"the engine's answer is not what it should be: {printable(str(error))}"
        ) from error
