"""The trace of a dispatch, sent to a collector: a stand-in that only takes notes. A real Jaeger comes with tests of its own."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.conftest import Start
from tests.e2e.controllers import DEADLINE
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine

EXTERNAL: dict[str, Any] = {"source": {"kind": "external"}, "trigger": {"kind": "manual"}}


class Collector:
    """What a collector was sent: the spans by the id of their trace, in hexadecimal."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: dict[str, list[Span]] = {}
        self.heard = threading.Condition()

    def take(self, body: bytes) -> None:
        """Take note of an export."""
        request = ExportTraceServiceRequest.FromString(body)
        with self.heard:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self.spans.setdefault(span.trace_id.hex(), []).append(span)
            self.heard.notify_all()


@contextmanager
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taking.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        taking = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield taking
        finally:
            server.shutdown()
            thread.join()


def last_trace(index: Index) -> str:
    """The trace that the status of the one workload names, once it has been dispatched."""
    until(lambda: index.sql("SELECT count(*) FROM tinyforge.workloads WHERE status #> '{lastDispatch,at}' IS NOT NULL"), [(1,)])
    ((trace_id,),) = index.sql("SELECT status #>> '{lastDispatch,traceID}' FROM tinyforge.workloads")
    return str(trace_id)


def test_d3_the_status_of_a_workload_names_the_trace_of_its_dispatch(
    run: Start, manifests: Manifests, shop: DockerEngine, index: Index
) -> None:
    manifests.workload("shop", "stack", **EXTERNAL)
    with collector() as taking:
        controller = run(OTEL_EXPORTER_OTLP_ENDPOINT=taking.url, OTEL_BSP_SCHEDULE_DELAY="200")
        trace_id = last_trace(index)
        with taking.heard:
            assert taking.heard.wait_for(lambda: trace_id in taking.spans, DEADLINE)
            (root,) = [span for span in taking.spans[trace_id] if not span.parent_span_id]
        controller.kill()
    said = {it.key: it.value.string_value or it.value.int_value for it in root.attributes}
    assert root.name == "workload.dispatch"
    assert said["tinyforge.workload.id"] == "default/shop"
    assert said["tinyforge.dispatch.outcome"] == "unchanged"
    assert {span.name for span in taking.spans[trace_id]} == {"workload.dispatch", "trigger.check", "source.reconcile"}


def test_without_a_collector_the_status_names_no_trace(run: Start, manifests: Manifests, shop: DockerEngine, index: Index) -> None:
    manifests.workload("shop", "stack", **EXTERNAL)
    run()
    assert last_trace(index) == ""
