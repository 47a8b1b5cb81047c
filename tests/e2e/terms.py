"""The terms of a program in Jaeger, and what its ends say of them."""

from collections.abc import Sequence

from tests.servers.jaeger import Jaeger
from tests.servers.jaeger_api import Span


def terms(jaeger: Jaeger, service: str, *outcomes: str) -> list[Span]:
    """The roots of a service's terms in their order, once these outcomes are all there."""

    def roots() -> Sequence[Span]:
        return [span for span in jaeger.api.spans(service) if span.name == "leader.term"]

    found = jaeger.until(roots, lambda spans: {span.attributes["tinyforge.term.outcome"] for span in spans} >= set(outcomes))
    return sorted(found, key=lambda span: span.began)


def steps(jaeger: Jaeger, root: Span) -> list[str]:
    """The names of a root's children in their order."""
    spans = [span for span in jaeger.trace(root.trace_id) if span.parent == root.place.span_id]
    return [span.name for span in sorted(spans, key=lambda span: span.began)]
