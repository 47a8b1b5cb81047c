"""The engines of a process: made as the settings say, for either driver."""

from collections.abc import Callable
from functools import partial

from tinyforge.domain.hosts import Host
from tinyforge.engine import Intake, open_engine
from tinyforge.ports import Engine, Secrets
from tinyforge.settings import Settings


def engines(settings: Settings, secrets: Secrets) -> Callable[[Host], Engine]:
    """Return what makes the engine of a host; the engines share nothing but the intake of their answers (rule P6).

    What is returned raises ValueError for an endpoint that is none.
    """
    return partial(
        open_engine,
        connect_timeout=settings.docker_connect_timeout,
        list_timeout=settings.docker_list_timeout,
        list_limit=settings.docker_list_limit,
        secrets=secrets,
        intake=Intake(),
    )
