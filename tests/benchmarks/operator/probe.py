"""A kubelet that never tires: how long the controller's event loop lets a probe wait."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan

EVERY = 0.05  # seconds


class Probe:
    """Asks for /healthz again and again, in a thread."""

    def __init__(self, port: int) -> None:
        self._seconds: list[float] = []
        self._port = port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe")
        self._thread.start()

    @property
    def slowest(self) -> float:
        """The longest that an answer took so far, in seconds; not a number if there was none."""
        return max(self._seconds, default=nan)

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            begun = time.perf_counter()
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
            except ConnectionRefusedError:
                continue  # it does not listen yet
            finally:
                connection.close()
            self._seconds.append(time.perf_counter() - begun)


@contextmanager
def probing(port: int) -> Iterator[Probe]:
    """Probe for the length of a block."""
    probe = Probe(port)
    try:
        yield probe
    finally:
        probe.stop()
