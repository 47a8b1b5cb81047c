"""The metrics as texts: OpenMetrics for whoever asks for it, which can carry exemplars, else the older text format.

prometheus_client's own choice of a format is not used: a version in the header that is no number ends it with a TypeError.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

_FRESH_SECONDS = 1.0
"""How long a text is given out again: with 100 hosts one takes 20 ms of the event loop, and anybody may ask as often as they like."""

_OPENMETRICS = "application/openmetrics-text"
_TEXT = "text/plain"
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_FORMATS: dict[str, Callable[[CollectorRegistry], bytes]] = {
    openmetrics.CONTENT_TYPE_LATEST: openmetrics.generate_latest,
    CONTENT_TYPE_PLAIN_0_0_4: generate_latest,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The metrics in one format, and when they were looked at, on the clock."""

    content_type: str
    text: bytes
    made_at: float


class Exposition:
    """A registry's metrics as texts, each made at most once a second.

    Args:
        registry: where the metrics are.
        clock: a clock in seconds that never goes back.
    """

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._pages: dict[str, Page] = {}

    def page(self, accept: str) -> Page:
        """Return the metrics in the format that suits a header `Accept`; any text will do for one."""
        content_type = _content_type(accept)
        page = self._pages.get(content_type)
        if page is None or self._clock() - page.made_at >= _FRESH_SECONDS:
            page = self._pages[content_type] = Page(
                content_type=content_type, text=_FORMATS[content_type](self._registry), made_at=self._clock()
            )
        return page


def _content_type(accept: str) -> str:
    """Return OpenMetrics for whoever names it and likes it no less than text: a range such as `*/*` does not name it."""
    wished = max((quality for kind, quality in _wishes(accept) if kind == _OPENMETRICS), default=0.0)
    text = max((quality for kind, quality in _wishes(accept) if kind == _TEXT), default=0.0)
    return openmetrics.CONTENT_TYPE_LATEST if wished > 0 and wished >= text else CONTENT_TYPE_PLAIN_0_0_4


def _wishes(accept: str) -> Iterator[tuple[str, float]]:
    """Yield the media types of a header `Accept`, each with its quality (RFC 9110, sections 12.4.2 and 12.5.1); one that is none is 1."""
    for wish in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in wish.split(";"))
        qualities = [float(found[1]) for it in parameters if (found := _QUALITY.fullmatch(it))]
        yield kind, qualities[0] if qualities else 1.0
