"""Recording begins if the environment says where traces go, in a process of its own as in real life: a provider is set up once."""

import subprocess
import sys

from tests.telemetry.collectors import collecting, free_port
from tinyforge.telemetry import ask_collector

PROGRAM = """
import sys
from opentelemetry import trace
from tinyforge.telemetry import tracing
with tracing("this one") as statistics:
    with trace.get_tracer("tests").start_as_current_span("work") as span:
        print(span.is_recording(), statistics is not None, "opentelemetry.sdk" in sys.modules)
"""


def traced(**environment: str) -> str:
    """What a process prints that is traced."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr == ""
    return ended.stdout.strip()


def test_with_an_endpoint_everybody_records_and_the_process_says_which_one_it_is() -> None:
    with collecting() as collector:
        assert traced(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) == "True True True"
        (resources,) = collector.exports[0][2]
        said = {it.key: it.value.string_value for it in resources.resource.attributes}
    assert (said["service.name"], said["service.instance.id"]) == ("tinyforge", "this one")
    assert said["service.version"]
    assert collector.names == ["work"]


def test_without_an_endpoint_nobody_records_and_the_sdk_is_not_even_loaded() -> None:
    assert traced() == "False False False"
    assert traced(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_SDK_DISABLED="true") == "False False False"


def test_a_collector_can_be_asked_whether_it_takes_anything() -> None:
    assert ask_collector({}) is None
    with collecting() as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "500"}
        assert ask_collector(environment) == (collector.url, "")
        collector.status = 404
        assert ask_collector(environment) == (collector.url, "it answered 404")
        assert collector.names == []
    away = f"http://127.0.0.1:{free_port()}"
    assert ask_collector({"OTEL_EXPORTER_OTLP_ENDPOINT": away}) == (away, "ConnectionError")
