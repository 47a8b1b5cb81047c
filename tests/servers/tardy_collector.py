"""A collector that takes its time: a stand-in, for a real one cannot be made to answer late. It counts what it is sent, and keeps nothing.

What refuses connections, or takes them and never answers, is a real Jaeger that does not run or is frozen (`own_jaeger`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class TardyCollector:
    """Takes OTLP over HTTP at `url`; `asked` is how often it was sent something."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0


@contextmanager
def tardy_collector(seconds: float) -> Iterator[TardyCollector]:
    """Answer everything after so many seconds, or at the end of the block if that is sooner."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            collector.asked += 1
            ended.wait(seconds)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return  # whoever asked did not wait for so long

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        collector = TardyCollector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, name="tardy collector")
        thread.start()
        try:
            yield collector
        finally:
            ended.set()
            server.shutdown()
            thread.join()
