"""The real operator, in a thread with an event loop of its own: a process takes a second to start, and this a tenth.

It works with the rights that manifests/install gives it and no others.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from tests.servers.cluster import Cluster as RealCluster
from tests.servers.kubernetes import ROOT
from tinyforge.cli.engines import engines
from tinyforge.cli.rhythm import rhythm_of
from tinyforge.cluster import Access, connect
from tinyforge.cluster.kubeconfig import read_kubeconfig
from tinyforge.engine import FolderSecrets
from tinyforge.http.metrics import Metrics
from tinyforge.index.leadership import OPERATOR
from tinyforge.index.led import lead
from tinyforge.operator.controller import Controller, Surroundings
from tinyforge.ports import Engine
from tinyforge.reconcile.plugins import load_plugins
from tinyforge.settings import Settings

T = TypeVar("T")

SECONDS = 30.0
SELDOM = 300.0
"""The interval at which nothing happens in a test because it is time."""
OFTEN = 0.2


def account(cluster: RealCluster) -> Path:
    """Return the kubeconfig of the operator's service account."""
    for file in ("namespace", "rbac"):
        cluster.apply((ROOT / f"manifests/install/{file}.yaml").read_text())
    return cluster.control_plane.kubeconfig_for("tinyforge/tinyforge")


class Operator:
    """A running operator; it runs from the start until `stop`. `around` may put something around each of its engines."""

    def __init__(
        self,
        *,
        url: str,
        kubeconfig: Path,
        interval: float = SELDOM,
        namespaces: Sequence[str] = (),
        around: Callable[[Engine], Engine] = lambda engine: engine,
    ) -> None:
        self._url = url
        self._access = Access(config=read_kubeconfig(str(kubeconfig)), namespace="default", found_by="the test")
        self._settings = Settings(interval=interval, docker_connect_timeout=1.0, docker_list_timeout=1.0)
        self._namespaces = namespaces
        self._around = around
        self._metrics = Metrics(sources=())
        self._leads = threading.Event()
        self.error: BaseException | None = None
        """What it ended with, if not by `stop`."""
        self._thread = threading.Thread(target=self._main, name="operator", daemon=True)
        self._thread.start()
        assert self._leads.wait(SECONDS), f"the operator does not start: {self.error!r}"

    def stop(self) -> None:
        """Stop it as a signal does, and see it end; idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
            error = self.ends()
            assert error is None, f"the operator ended with {error!r}"

    def ends(self) -> BaseException | None:
        """Wait until it has ended, and return with what error."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the operator does not end"
        return self.error

    def ask(self, question: Callable[[Controller], T]) -> T:
        """Return what a question to the controller is answered within its own loop."""

        async def answer() -> T:
            return question(self._controller)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(SECONDS)

    def metric(self, name: str) -> float:
        """Return what one of its metrics is now."""
        value = self.ask(lambda _: self._metrics.registry.get_sample_value(name))
        assert value is not None, f"there is no metric {name}"
        return value

    def until(self, question: Callable[[Controller], object]) -> None:
        """Wait until something is true of the controller."""
        deadline = time.monotonic() + SECONDS
        while not self.ask(question):
            assert time.monotonic() < deadline, "it does not become true"
            time.sleep(0.02)

    def until_written(self) -> None:
        """Wait until every object is known to show what it should."""
        self.until(lambda it: it.writer.unwritten == 0)

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is the test's to judge
            self.error = error
        finally:
            self._leads.set()

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            cluster = connect(self._access, instance="controller-0")
            stack.push_async_callback(cluster.close)
            index = await stack.enter_async_context(lead(self._url, driver=OPERATOR))
            connect_engine = engines(self._settings, FolderSecrets(None))
            self._controller = Controller(
                surroundings=Surroundings(
                    cluster=cluster,
                    find_access=lambda: self._access,
                    namespaces=self._namespaces,
                    connect=lambda host: self._around(connect_engine(host)),
                ),
                index=index,
                plugins=load_plugins(),
                rhythm=rhythm_of(self._settings),
                metrics=self._metrics,
            )
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.create_task(self._controller.run())
            self._leads.set()
            await self._task
