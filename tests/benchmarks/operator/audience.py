"""All objects of a kind under watch: when the last of them became true.

A watch, for to list 2,000 objects again and again would take as much of the API server as what is measured.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers.kubernetes_api import KubernetesApi, Object

WATCH_SECONDS = 20  # less than the tests' client waits for a byte


class Audience:
    """Watches the objects of a kind in a thread.

    Args:
        api: where they are.
        kind: their kind.
        is_true: whether an object is as it should be.
    """

    def __init__(self, api: KubernetesApi, kind: str, is_true: Callable[[Object], bool]) -> None:
        self._api = api
        self._path = api.resource(kind).path()
        self._is_true = is_true
        self._untrue: set[str] = set()
        self._true_at = 0.0
        self._heard = threading.Condition()
        self._stopped = threading.Event()
        self._error: Exception | None = None
        listed = api.request("GET", self._path)
        self._version = 0
        for found in listed["items"]:
            self._take(found)
        self._version = int(listed["metadata"]["resourceVersion"])
        threading.Thread(target=self._watch, name=f"watch of {kind}", daemon=True).start()

    def wait(self, seconds: float, *, edited: int = 0) -> float:
        """Wait until all are true, and return when the last one became so, on the monotonic clock.

        `edited` is the resource version of an edit, which has to have been seen by then.
        """
        with self._heard:
            self._heard.wait_for(lambda: self._error or (self._version >= edited and not self._untrue), seconds)
            untrue = sorted(self._untrue)
            if self._error:
                raise self._error
            assert not untrue, f"after {seconds:.0f} s {len(untrue)} are not true, such as {', '.join(untrue[:5])}"
            assert self._version >= edited, f"after {seconds:.0f} s the edit has not been seen"
            return self._true_at

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        try:
            while not self._stopped.is_set():
                for event in self._api.watch(self._path, f"resourceVersion={self._version}", WATCH_SECONDS):
                    if self._stopped.is_set():
                        return
                    assert event["type"] != "ERROR", event
                    self._take(event["object"])
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            if not self._stopped.is_set():
                with self._heard:
                    self._error = error
                    self._heard.notify_all()

    def _take(self, found: Object) -> None:
        name, is_true = found["metadata"]["name"], self._is_true(found)
        with self._heard:
            self._version = int(found["metadata"]["resourceVersion"])
            were_true = not self._untrue
            (self._untrue.discard if is_true else self._untrue.add)(name)
            if not (self._untrue or were_true):
                self._true_at = time.monotonic()
            self._heard.notify_all()


@contextmanager
def audience(api: KubernetesApi, kind: str, is_true: Callable[[Object], bool]) -> Iterator[Audience]:
    """An audience for the length of a block."""
    watching = Audience(api, kind, is_true)
    try:
        yield watching
    finally:
        watching.stop()
