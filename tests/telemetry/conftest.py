"""Fixtures of the tests of telemetry.

* `record`: records spans with settings of its own, beside whatever else this process does.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded with it is looked at

from tinyforge.telemetry.environment import trace_export
from tinyforge.telemetry.exporting import _TALKATIVE
from tinyforge.telemetry.pipeline import recording
from tinyforge.telemetry.statistics import TraceStatistics

Record = Callable[..., AbstractContextManager[tuple[TracerProvider, TraceStatistics]]]

ABOUT = {"service.name": "tinyforge", "service.version": "1.2.3", "service.instance.id": "this one"}


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]

    def begin(
        endpoint: str, *, filtered: bool = False, shutdown_seconds: float = 3.0, **variables: str
    ) -> AbstractContextManager[tuple[TracerProvider, TraceStatistics]]:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "20", **variables}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        export = trace_export(environment)
        assert export
        return recording(export, ABOUT, filtered=filtered, shutdown_seconds=shutdown_seconds)

    yield begin
    for logger, (handlers, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
