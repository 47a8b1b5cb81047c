"""OpenTelemetry's variables: a value that means nothing is refused with its name, the value and what is allowed, and without a secret."""

import math
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.telemetry import faults, trace_faults
from tinyforge.telemetry.environment import trace_export

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
CANARY = "hunter2-is-no-password"

WRONG = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http:// or https://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector", "http:// or https://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "http:// or https://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:99999", "http:// or https://"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", "http:// or https://"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier pigeon", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "100 to 60000 milliseconds"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10", "100 to 60000 milliseconds"),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "-2000", "100 to 60000 milliseconds"),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "nan", "100 to 60000 milliseconds"),
    ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, none"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_traceidratio"),
    ("OTEL_TRACES_SAMPLER_ARG", "1.5", "from 0 (no trace) to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "-0.1", "from 0 (no trace) to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "half", "from 0 (no trace) to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "NaN", "from 0 (no trace) to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "50%", "from 0 (no trace) to 1"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "from 1 to 1000000"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1e3", "from 1 to 1000000"),
    ("OTEL_BSP_SCHEDULE_DELAY", "٣", "from 1 to 1000000"),
    ("OTEL_BSP_SCHEDULE_DELAY", "9" * 70, "from 1 to 1000000"),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "long", "a whole number"),
    ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name", "commas between"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_value_that_means_nothing_is_told_with_its_name_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    for environment in ({name: value}, ENDPOINT | {name: value}):
        (sentence,) = trace_faults(environment)
        assert sentence.startswith(f"{name}: '{value}")
        assert allowed in sentence


def test_all_faults_are_told_at_once() -> None:
    assert [it.split(":")[0] for it in trace_faults({"OTEL_TRACES_SAMPLER": "x", "OTEL_TRACES_SAMPLER_ARG": "y"})] == [
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
    ]


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": " TRUE "}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_where_there_are_no_traces_nothing_is_wrong_with_them(off: dict[str, str]) -> None:
    for name, value, _ in WRONG:
        assert trace_faults({name: value} | off) == []
    assert trace_export(ENDPOINT | off) is None


def test_a_variable_that_is_empty_counts_as_unset() -> None:
    empty = {name: "" for name, _, _ in WRONG}
    assert trace_faults(empty) == []
    assert trace_export(empty) is None
    assert trace_export(empty | ENDPOINT) == trace_export(ENDPOINT)


RIGHT = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["http://localhost:4318", "https://collector.example/otlp/", "http://[::1]:4318", "http://10.0.0.1"],
    "OTEL_EXPORTER_OTLP_PROTOCOL": ["http/protobuf", "HTTP/protobuf"],
    "OTEL_EXPORTER_OTLP_TIMEOUT": ["100", "2000", "60000"],
    "OTEL_TRACES_SAMPLER": ["always_on", "parentbased_traceidratio", "AlwaYs_off"],
    "OTEL_TRACES_SAMPLER_ARG": ["0", "1", "0.5", "1e-3"],
    "OTEL_BSP_MAX_QUEUE_SIZE": ["1", "100000"],
    "OTEL_EXPORTER_OTLP_HEADERS": ["authorization=Bearer%20abc", "a=b, c=d ", "x-empty=", "authorization=Basic abc=="],
    "OTEL_RESOURCE_ATTRIBUTES": ["a=b,c=d=e", "a=b,"],
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": ["100", "unset"],
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_means_something_is_taken(name: str) -> None:
    for value in RIGHT[name]:
        assert trace_faults(ENDPOINT | {name: value}) == []
        assert trace_export(ENDPOINT | {name: value})


@quick
@given(st.floats() | st.floats(-0.5, 1.5))
def test_a_ratio_is_refused_if_and_only_if_it_is_outside_0_to_1(ratio: float) -> None:
    environment = ENDPOINT | {"OTEL_TRACES_SAMPLER_ARG": str(ratio)}
    usable = 0 <= ratio <= 1
    assert (trace_faults(environment) == []) == usable
    if usable:
        export = trace_export(environment)
        assert export
        assert math.isclose(export.ratio, ratio)


@quick
@given(
    st.dictionaries(
        st.sampled_from(sorted({name for name, _, _ in WRONG} | RIGHT.keys())), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_m10_whatever_the_environment_holds_it_is_refused_or_can_be_used(environment: dict[str, str]) -> None:
    sentences = trace_faults(environment)
    assert all(sentence.isprintable() and len(sentence) < 500 for sentence in sentences)
    if not sentences:
        trace_export(environment)


def test_the_timeout_is_2_seconds_and_a_number_is_milliseconds_as_specified() -> None:
    for environment, seconds in ((ENDPOINT, 2.0), (ENDPOINT | {"OTEL_EXPORTER_OTLP_TIMEOUT": "10000"}, 10.0)):
        export = trace_export(environment)
        assert export
        assert export.seconds == seconds


def test_a_batch_is_never_larger_than_the_queue_that_it_comes_from() -> None:
    export = trace_export(ENDPOINT | {"OTEL_BSP_MAX_QUEUE_SIZE": "10"})
    assert export
    assert (export.queue, export.batch) == (10, 10)


def test_grpc_without_its_package_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    grpc = ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    monkeypatch.setattr(faults, "find_spec", lambda _: None)
    (sentence,) = trace_faults(grpc)
    assert sentence.startswith("OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' needs the package opentelemetry-exporter-otlp-proto-grpc")
    assert "http/protobuf" in sentence
    monkeypatch.setattr(faults, "find_spec", lambda _: object())
    assert trace_faults(grpc) == []
    export = trace_export(grpc)
    assert export
    assert (export.protocol, export.endpoint) == ("grpc", "http://collector:4318")


def test_grpc_takes_no_password_in_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "find_spec", lambda _: object())
    (sentence,) = trace_faults({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{CANARY}@collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert "OTEL_EXPORTER_OTLP_HEADERS" in sentence
    assert CANARY not in sentence


@pytest.mark.parametrize("secret", [f"{CANARY}/x", f"x/{CANARY}", f"1?{CANARY}", f"1#{CANARY}", f"{CANARY}://x"])
def test_fault_44_a_password_that_is_not_encoded_is_a_fault_and_is_not_shown(secret: str) -> None:
    (sentence,) = trace_faults({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{secret}@collector:4318/path"})
    assert sentence.startswith("OTEL_EXPORTER_OTLP_ENDPOINT: '…@collector:4318' is no URL")


@pytest.mark.parametrize(
    "headers", [f"authorization: {CANARY}", f"a=b,{CANARY}", f"={CANARY}", f"x=\n{CANARY}", f"x=ü{CANARY}", f"x y={CANARY}"]
)
def test_fault_44_a_header_that_cannot_be_read_is_told_by_its_number_and_not_repeated(headers: str) -> None:
    (sentence,) = trace_faults(ENDPOINT | {"OTEL_EXPORTER_OTLP_HEADERS": headers})
    assert sentence.startswith(f"OTEL_EXPORTER_OTLP_HEADERS: number {headers.count(',') + 1} of its {headers.count(',') + 1} pairs")
    assert CANARY not in sentence


SECRET = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).map(lambda text: f"{CANARY}{text}")


@quick
@given(
    SECRET,
    st.sampled_from(
        ["http://{}@collector:4318/x", "http://me:{}@collector", "collector:{}@x", "http://c/{}", "http://c:1/?k={}", "http://c/?k={}://x"]
    ),
)
def test_fault_44_nothing_of_an_endpoint_that_could_be_a_secret_is_shown(secret: str, template: str) -> None:
    for written in (secret, quote(secret, safe="")):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": template.format(written)}
        sentences = trace_faults(environment)
        export = None if sentences else trace_export(environment)
        shown = [*sentences, *([repr(export), export.place] if export else [])]
        assert [text for text in shown if CANARY in text] == []
