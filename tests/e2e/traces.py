"""What a process of Tinyforge has told Jaeger, and what must hold of it whatever happened.

Fixture (imported by the modules that use it): `traces`, the spans of one test, for they are sent under a service name of its own.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pytest

from tests.servers.jaeger import Jaeger
from tests.servers.jaeger_api import Place, Span

PASS, DISPATCH, TERM = "index.pass", "workload.dispatch", "leader.term"
STEPS_OF_A_PASS = {"docker.containers.list", "index.plan", "index.write"}
OUTCOME = "tinyforge.dispatch.outcome"
WORKLOAD = "tinyforge.workload.id"


class Traces:
    """The spans that Jaeger has of one service; `settings` are the variables that bring them there."""

    def __init__(self, jaeger: Jaeger, service: str) -> None:
        self.jaeger = jaeger
        self.settings = jaeger.settings(service)
        self._service = service

    def all(self) -> list[Span]:
        """Those that are there now."""
        return self.jaeger.api.spans(self._service)

    def until(self, wanted: Callable[[Sequence[Span]], object]) -> list[Span]:
        """Wait until something is true of them, and return them."""
        return self.jaeger.until(self.all, wanted)

    def root(self, trace_id: str) -> Span:
        """Wait for a trace, and return its only root."""
        assert trace_id, "there is no trace"
        (root,) = roots(self.jaeger.trace(trace_id))
        return root

    def dispatched(self, workload: str, **attributes: str) -> Span:
        """Wait for a dispatch of a workload with these attributes of `tinyforge.dispatch`, and return the latest."""
        wanted = {WORKLOAD: workload} | {f"tinyforge.dispatch.{name}": value for name, value in attributes.items()}
        look = partial(with_attributes, wanted)
        return latest(look(self.until(lambda spans: look(roots(spans, DISPATCH)))))


@pytest.fixture
def traces(jaeger: Jaeger) -> Traces:
    return Traces(jaeger, f"tinyforge-{uuid.uuid4().hex[:8]}")


def roots(spans: Iterable[Span], name: str = "") -> list[Span]:
    """Those that have no parent, and this name if one is given, in the order in which they began."""
    return sorted((it for it in spans if not it.parent and name in ("", it.name)), key=lambda it: it.began)


def children(spans: Iterable[Span], root: Span) -> list[Span]:
    """The steps of a root, in the order in which they began."""
    return sorted((it for it in spans if it.trace_id == root.trace_id and it.parent == root.place.span_id), key=lambda it: it.began)


def with_attributes(wanted: dict[str, str], spans: Iterable[Span]) -> list[Span]:
    """Those that have these attributes."""
    return [it for it in spans if wanted.items() <= it.attributes.items()]


def latest(spans: Sequence[Span]) -> Span:
    """The one that began last."""
    return max(spans, key=lambda it: it.began)


def orphans(spans: Sequence[Span]) -> list[Span]:
    """Those whose parent is not there, and those without one that are no beginning of anything that Tinyforge does."""
    there = {it.place for it in spans}
    lost = [it for it in spans if it.parent and Place(trace_id=it.trace_id, span_id=it.parent) not in there]
    return lost + [it for it in roots(spans) if it.name not in (PASS, DISPATCH, TERM)]


def unresolved(spans: Sequence[Span], *elsewhere: Place) -> list[Place]:
    """What is linked to, and neither there nor in the places that are known to be elsewhere."""
    there = {it.place for it in spans} | {*elsewhere}
    return [link for it in spans for link in it.links if link not in there]


def exceptions(spans: Iterable[Span]) -> list[str]:
    """The messages of the exceptions that were recorded."""
    return [str(event.attributes.get("exception.message", "")) for it in spans for event in it.events if event.name == "exception"]
