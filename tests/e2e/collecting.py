"""A collector that keeps every word it is sent, which no real one does: Jaeger drops attributes of links and decides what it shows.

It may refuse the first exports, so that one sees what is said of that.
"""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.controllers import DEADLINE


class Collector:
    """What it was sent."""

    def __init__(self, place: str, *, refusals: int) -> None:
        self.place = place
        """Its host and port."""
        self.headers = ""
        """Those of all exports."""
        self.text = ""
        """All spans, decoded, with their resources and scopes."""
        self._refusals = refusals
        self._heard = threading.Condition()

    def take(self, headers: str, body: bytes) -> bool:
        """Take an export, or refuse it."""
        with self._heard:
            self.headers += headers
            self._refusals -= 1
            if self._refusals < 0:
                self.text += str(ExportTraceServiceRequest.FromString(body))
            self._heard.notify_all()
            return self._refusals < 0

    def says(self, *words: str) -> None:
        """Wait until spans with all these words have come."""
        with self._heard:
            heard = self._heard.wait_for(lambda: all(word in self.text for word in words), DEADLINE)
        assert heard, f"not all of {words} in: {self.text[-4000:]}"


@contextmanager
def collecting(*, refusals: int = 0) -> Iterator[Collector]:
    """Run a collector for the length of a block, which takes OTLP over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            self.send_response(200 if collector.take(str(self.headers), plain) else 400)  # a 503 would be tried again by itself
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"127.0.0.1:{server.server_port}", refusals=refusals)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
