"""Spans on their way to a collector: none of its faults costs the program anything, and none is silent (fault 49)."""

import logging
import threading
import time

import pytest
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded with it is looked at

from tests.telemetry.collectors import DEADLINE, black_hole, collecting, free_port
from tests.telemetry.conftest import ABOUT, Record
from tinyforge.telemetry.statistics import TraceStatistics

CANARY = "hunter2-is-no-password"


def end_spans(provider: TracerProvider, number: int = 1, name: str = "work") -> None:
    for _ in range(number):
        provider.get_tracer("tests").start_span(name).end()


def until_failed(statistics: TraceStatistics, times: int) -> None:
    """Wait until so many exports have failed."""
    deadline = time.monotonic() + DEADLINE
    while statistics.failures < times:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.action) for record in caplog.records]  # type: ignore[attr-defined] # a field of ours


def test_what_is_recorded_reaches_the_collector_and_is_counted(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    with collecting() as collector:
        with record(collector.url) as (provider, statistics):
            end_spans(provider, 3)
        assert collector.names == ["work"] * 3
        assert {path for path, _, _ in collector.exports} == {"/v1/traces"}
    assert (statistics.exported, statistics.dropped, statistics.failures, statistics.queued) == (3, 0, 0, 0)
    assert caplog.records == []


def test_a_process_says_who_it_is_and_people_may_say_it_better(record: Record) -> None:
    with collecting() as collector:
        with record(collector.url) as (provider, _):
            end_spans(provider)
        others = {"OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=tinyforge-0,service.instance.id=ours", "OTEL_SERVICE_NAME": "forge"}
        with record(collector.url, **others) as (provider, _):
            end_spans(provider)
        first, second = (
            {it.key: it.value.string_value for it in resources[0].resource.attributes} for _, _, resources in collector.exports
        )
    assert first.items() >= ABOUT.items()
    assert second.items() >= {"service.name": "forge", "service.instance.id": "ours", "k8s.pod.name": "tinyforge-0"}.items()
    assert second["service.version"] == ABOUT["service.version"]


def test_the_variable_for_traces_alone_is_the_whole_url(record: Record) -> None:
    with collecting() as collector:
        with record("http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/somewhere") as (provider, _):
            end_spans(provider)
        assert [path for path, _, _ in collector.exports] == ["/somewhere"]


def test_fault_49_a_collector_that_comes_later_gets_what_comes_after_it_and_the_log_says_both_once(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    with record(f"http://127.0.0.1:{port}", OTEL_EXPORTER_OTLP_TIMEOUT="100") as (provider, statistics):
        for times in (1, 2, 3):
            end_spans(provider, name="early")
            until_failed(statistics, times)
        with collecting(port) as collector:
            end_spans(provider, name="late")
            collector.hears(1)
            assert collector.names == ["late"]
            end_spans(provider, name="later")
            collector.hears(2)
    assert (statistics.exported, statistics.dropped, statistics.failures) == (2, 3, 3)
    assert said(caplog) == [("WARNING", "traces_not_sent"), ("INFO", "traces_sent_again")]
    assert f"http://127.0.0.1:{port} takes no traces (not in time)" in caplog.text
    assert "3 spans were lost" in caplog.text


def test_fault_49_with_a_collector_that_never_answers_nothing_waits_and_the_end_is_bounded(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    with black_hole() as url:
        began = time.monotonic()
        with record(url, shutdown_seconds=0.2, OTEL_EXPORTER_OTLP_TIMEOUT="30000") as (provider, statistics):
            end_spans(provider, 1000)
            assert statistics.queued == 1000
        assert time.monotonic() - began < 10
    assert (statistics.exported, statistics.dropped, statistics.queued) == (0, 1000, 0)
    assert said(caplog) == [("WARNING", "traces_left_behind")]
    assert "1000 spans were not sent" in caplog.text


def test_fault_49_a_full_queue_drops_what_ends_then_and_counts_it_in_whatever_thread(record: Record) -> None:
    with black_hole() as url:
        sizes = {"OTEL_BSP_MAX_QUEUE_SIZE": "50", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10", "OTEL_EXPORTER_OTLP_TIMEOUT": "30000"}
        with record(url, shutdown_seconds=0.1, **sizes) as (provider, statistics):
            threads = [threading.Thread(target=end_spans, args=(provider, 100)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert (statistics.queued, statistics.dropped, statistics.exported) == (50, 350, 0)


def test_the_sdks_own_queue_has_room_for_whatever_is_let_in(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with collecting() as collector:
        with record(collector.url, OTEL_BSP_MAX_QUEUE_SIZE="3", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="3") as (provider, statistics):
            end_spans(provider, 500)
        assert len(collector.names) == statistics.exported
    assert statistics.exported + statistics.dropped == 500
    assert "Queue full" not in caplog.text


def test_what_ends_after_the_end_is_dropped_and_counted(record: Record) -> None:
    with collecting() as collector:
        with record(collector.url) as (provider, statistics):
            end_spans(provider)
        end_spans(provider, 2)
        assert collector.names == ["work"]
    assert (statistics.exported, statistics.dropped) == (1, 2)


@pytest.mark.parametrize(
    ("status", "cause"), [(401, "it answered 401"), (503, "it answered Service Unavailable"), (400, "it answered 400")]
)
def test_a_collector_that_refuses_is_said_with_its_answer(
    record: Record, caplog: pytest.LogCaptureFixture, status: int, cause: str
) -> None:
    with collecting() as collector:
        collector.status = status
        with record(collector.url, OTEL_EXPORTER_OTLP_TIMEOUT="2500" if status == 503 else "1000") as (provider, statistics):
            end_spans(provider)
            until_failed(statistics, 1)
    assert cause in caplog.text
    assert (statistics.dropped, said(caplog)) == (1, [("WARNING", "traces_not_sent")])


def test_fault_44_neither_a_password_nor_a_header_is_in_the_log_whatever_goes_wrong(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = f"authorization=Bearer {CANARY},x-bad= {CANARY}%0d%0ax"
    with collecting() as collector:
        place = collector.url.removeprefix("http://")
        for status in (200, 401):
            collector.status = status
            with record(f"http://me:{CANARY}@{place}/{CANARY}?{CANARY}") as (provider, _):
                end_spans(provider)
            with record(f"http://me:{CANARY}@{place}", OTEL_EXPORTER_OTLP_HEADERS=headers) as (provider, _):
                end_spans(provider)
    with record(f"http://me:{CANARY}@127.0.0.1:{free_port()}", OTEL_EXPORTER_OTLP_TIMEOUT="100") as (provider, _):
        end_spans(provider)
    assert "takes no traces" in caplog.text
    assert [it.name for it in caplog.records if not it.name.startswith("tinyforge")] == []
    assert CANARY not in caplog.text


def test_a_header_of_the_environment_is_sent(record: Record) -> None:
    with collecting() as collector:
        with record(collector.url, OTEL_EXPORTER_OTLP_HEADERS="x-token=abc%20d") as (provider, _):
            end_spans(provider)
        assert collector.exports[0][1]["x-token"] == "abc d"


def test_m10_a_text_of_any_length_is_cut_in_attributes_and_events(record: Record) -> None:
    with collecting() as collector:
        with record(collector.url) as (provider, _):
            span = provider.get_tracer("tests").start_span("long", attributes={"text": "x" * 100_000})
            span.add_event("long", {"text": "x" * 100_000})
            span.end()
        (span_sent,) = collector.exports[0][2][0].scope_spans[0].spans
    assert len(span_sent.attributes[0].value.string_value) == len(span_sent.events[0].attributes[0].value.string_value) == 16_384


@pytest.mark.parametrize(
    ("sampler", "ratio", "sent"),
    [
        ("", "", 20),
        ("always_off", "", 0),
        ("traceidratio", "0", 0),
        ("parentbased_traceidratio", "1", 20),
        ("PARENTBASED_TRACEIDRATIO", "0.0", 0),
        ("parentbased_always_on", "0", 20),
    ],
)
def test_the_sampler_is_the_one_that_is_set(record: Record, sampler: str, ratio: str, sent: int) -> None:
    with collecting() as collector:
        with record(collector.url, OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=ratio) as (provider, statistics):
            end_spans(provider, 20)
        assert (len(collector.names), statistics.exported) == (sent, sent)
