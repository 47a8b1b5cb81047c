"""The HTTP port, open for the length of a block. `tinyforge controller` opens it, and `tinyforge run` if it is told to."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tinyforge.http.address import ListenAddress
from tinyforge.http.answers import Answers
from tinyforge.http.bounded_server import BoundedServer
from tinyforge.http.bounds import Bounds
from tinyforge.http.checks import Check
from tinyforge.http.exposition import Exposition
from tinyforge.http.listening import listen, listened_on
from tinyforge.http.metrics import Metrics

logger = logging.getLogger(__name__)

_DEFAULT_BOUNDS = Bounds()
_WAITING = 512
"""How many connections the kernel keeps until they are accepted. One more would try again after a second: too late for a kubelet."""
_STOP_SECONDS = 0.2
"""How long an answer that is under way may go on after the stop; aiohttp waits for it twice."""


@asynccontextmanager
async def serving(
    address: ListenAddress,
    *,
    health: Check,
    readiness: Check,
    metrics: Metrics,
    standing: Callable[[], str] = str,
    bounds: Bounds = _DEFAULT_BOUNDS,
) -> AsyncIterator[ListenAddress]:
    """Answer on an address until the block ends, within half a second of which every connection is closed.

    The answers come from the event loop that the work is done in. So a probe of a loop that is stuck gets none, which is meant.

    Args:
        address: where to listen.
        health: what is wrong with this process's progress, for `/healthz`.
        readiness: why this process is not ready, for `/readyz`.
        metrics: what `/metrics` shows.
        standing: what this process is, which both checks end with; empty: nothing to say.
        bounds: what clients may cost.

    Yields:
        The address, with the port that was taken if any would do.

    Raises:
        AddressUnusable: the address cannot be listened on.
    """
    answers = Answers(health=health, readiness=readiness, metrics=Exposition(metrics.registry), standing=standing)
    server = BoundedServer(answers.answer, bounds=bounds)
    with listen(address) as listener:
        runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        await web.SockSite(runner, listener, backlog=bounds.accepted_at_once).start()
        listener.listen(_WAITING)  # asyncio has set it to what it accepts at once
        place = listened_on(listener, address)
        logger.info("/healthz, /readyz and /metrics are on %s", place, extra={"action": "http_listening"})
        try:
            yield place
        finally:
            await runner.cleanup()
            server.abort_all()
