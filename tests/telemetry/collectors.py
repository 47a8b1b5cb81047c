"""Collectors that do what a real one does not do on demand: refuse, count, and never answer. A real Jaeger is asked in tests/e2e."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

DEADLINE = 20.0


class Collector:
    """What it was sent; `status` is what it answers from now on."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.status = 200
        self.exports: list[tuple[str, dict[str, str], list[ResourceSpans]]] = []
        self._heard = threading.Condition()

    @property
    def names(self) -> list[str]:
        """The names of all spans that it was sent, in order."""
        return [span.name for _, _, resources in self.exports for it in resources for scope in it.scope_spans for span in scope.spans]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Take note of an export."""
        with self._heard:
            self.exports.append((path, headers, list(ExportTraceServiceRequest.FromString(body).resource_spans)))
            self._heard.notify_all()

    def hears(self, exports: int) -> None:
        """Wait until so many exports have come."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.exports) >= exports, DEADLINE)


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """Run a collector for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            self.send_response(collector.status)
            self.send_header("Connection", "close")
            self.end_headers()
            collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, plain)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        collector = Collector(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def black_hole() -> Iterator[str]:
    """The URL of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
