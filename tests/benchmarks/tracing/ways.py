"""The ways in which traces are sent, or not: what each process of this benchmark has in its environment."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from tests.servers.jaeger import Jaeger
from tests.servers.tardy_collector import tardy_collector

NONE = "no traces"
AGAIN = "none, again"
"""The same as `NONE` in a process of its own: how far its figures are from those is what this machine makes of two equal things."""
JAEGER, REFUSED, SILENT, SLOW = "Jaeger", "refused", "silent", "slow"
SLOW_SECONDS = 1.5
"""Longer than anybody waits who has more to send, and shorter than the 2 s after which an export is given up, which is what `SILENT` is."""

Environment = Mapping[str, str]


@contextmanager
def ways(jaeger_program: str) -> Iterator[Mapping[str, Environment]]:
    """The environment of each way, by its name; the collectors run for the length of the block."""
    with ExitStack() as stack:
        healthy, refused, silent = (stack.enter_context(closing(Jaeger(jaeger_program))) for _ in range(3))
        healthy.process.start()
        silent.process.start()
        silent.process.freeze()
        tardy = stack.enter_context(tardy_collector(SLOW_SECONDS))
        yield {
            NONE: {},
            AGAIN: {},
            JAEGER: healthy.settings(),
            REFUSED: refused.settings(),
            SILENT: silent.settings(),
            SLOW: healthy.settings() | {"OTEL_EXPORTER_OTLP_ENDPOINT": tardy.url},
        }
