"""The steps of the protocol at which a test can stop the process, to see what another replica does meanwhile. For tests only."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping

VARIABLE = "TINYFORGE_TEST_STOP_AT"
"""The environment variable that names the step: `STEP`, or `STEP:FILE`, which counts from when there is such a file."""

Steps = Callable[[str], Awaitable[None]]
"""Called with a step's name when it is reached: `before-put`, `after-put`, `before-claim`, `after-claim`, `before-renewal`,
`after-renewal-sent`, `after-fresh-read` and `before-release`."""


async def no_stop(_step: str) -> None:
    """Go on: what every process does that is not under test."""


def stop_points(environment: Mapping[str, str]) -> Steps:
    """Return what stops the process (SIGSTOP to itself) when it first reaches the step that the environment names, if it names one."""
    step, _, file = environment.get(VARIABLE, "").partition(":")
    wanted = {step} if step else set()

    async def stop(reached: str) -> None:
        if reached in wanted and (not file or os.path.exists(file)):  # noqa: ASYNC240 - nobody minds, for it is about to stop
            wanted.discard(reached)
            os.kill(os.getpid(), signal.SIGSTOP)

    return stop if wanted else no_stop
