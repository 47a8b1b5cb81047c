"""The settings: environment variables `TINYFORGE_*`, validated together at the start.

Every field's description is its documentation; `tinyforge settings` prints it. Durations are a number of seconds, or one with a
unit (`500ms`, `20s`, `5m`, `2h`, `30d`); sizes a number of bytes, or one with a unit (`32MiB`).
"""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tinyforge.domain.dispatch import TraceUnchanged
from tinyforge.domain.lease import LeaseTimes
from tinyforge.http.address import ListenAddress
from tinyforge.index.sessions import is_conninfo
from tinyforge.jaeger.address import JaegerAddress
from tinyforge.objects.fields import Label, Subdomain
from tinyforge.ports import TinyforgeError

PREFIX = "TINYFORGE_"

_NOT_SETTINGS = ("TINYFORGE_SETUP", "TINYFORGE_TEST_")
"""Variables of the project's own scripts and tests."""

_OTHER_TIMES = ("renew_deadline", "retry_period", "request_timeout")
"""What the lease duration has to fit."""

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class SettingsError(TinyforgeError):
    """Settings that cannot be used; the text lists every fault."""


def parse_duration(value: Any) -> Any:
    """Return the number of seconds that a text means; anything but a text is left to pydantic.

    Raises:
        ValueError: it is no duration; the text says what is allowed.
    """
    return _parse(value, _SECONDS, "a duration: a number of seconds, or one with ms, s, m, h or d, such as 500ms or 20s")


def parse_size(value: Any) -> Any:
    """Return the number of bytes that a text means; anything but a text is left to pydantic.

    Raises:
        ValueError: it is no size; the text says what is allowed.
    """
    number = _parse(value, _BYTES, "a size: a number of bytes, or one with KiB, MiB or GiB, such as 32MiB")
    return int(number) if isinstance(number, float) else number


def _parse(value: Any, units: Mapping[str, float], allowed: str) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([+-]?\d{1,12}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*", value)
    if found is None or found[2] not in units:
        raise ValueError(f"is not {allowed}")
    return float(found[1]) * units[found[2]]


Duration = Annotated[float, BeforeValidator(parse_duration)]
Timeout = Annotated[Duration, Field(gt=0, le=3600)]
Size = Annotated[int, BeforeValidator(parse_size)]


def _conninfo(url: SecretStr) -> SecretStr:
    if not is_conninfo(url.get_secret_value()):
        raise PydanticCustomError(
            "secret_unusable",
            "is no PostgreSQL address; allowed: a URI such as postgresql://user@host/database, with special characters percent-encoded, or "
            "key=value pairs",
        )
    return url


def _split(value: Any) -> Any:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def _listen_address(value: Any) -> Any:
    return ListenAddress.parse(value) if isinstance(value, str) else value


def _jaeger_address(value: Any) -> Any:
    try:
        return JaegerAddress.parse(value) if isinstance(value, str) else value
    except ValueError as error:
        raise PydanticCustomError("secret_unusable", "{fault}", {"fault": str(error)}) from None


DatabaseUrl = Annotated[SecretStr, AfterValidator(_conninfo)]


class Settings(BaseSettings):
    """What can be set, and how it starts out."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    database_url: DatabaseUrl | None = Field(
        None, description="PostgreSQL 14 or newer, as a URI or libpq connection string; unset: embedded"
    )
    data: Path | None = Field(
        None, description="Folder of the embedded PostgreSQL; unset: /var/lib/tinyforge as root, else your data folder"
    )
    interval: Duration = Field(
        30.0, description="Time between two passes of a host, and two dispatches of a workload; 0 or less means 30s, more than 5m means 5m"
    )
    dispatch_timeout: Timeout = Field(60.0, description="How long one call of a plugin may take")
    docker_connect_timeout: Timeout = Field(5.0, description="How long connecting to an engine may take")
    docker_list_timeout: Timeout = Field(20.0, description="How long a container list may take as a whole")
    docker_list_limit: Annotated[Size, Field(ge=1 << 10, le=1 << 30)] = Field(32 << 20, description="How large one container list may be")
    secrets: Path | None = Field(None, description="Folder with one folder a Secret: ca.crt, tls.crt, tls.key, ssh-privatekey, known_hosts")
    namespaces: Annotated[tuple[Label, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="Namespaces that `controller` looks after, with commas between; unset: all"
    )
    lease_name: Subdomain = Field(
        "tinyforge", description="Name of the Lease that lets one of several `controller`s lead; each database needs one of its own"
    )
    lease_namespace: Label | None = Field(None, description="Namespace of that Lease; unset: the pod's, else the kubeconfig context's")
    lease_renew_deadline: Timeout = Field(
        10.0, description="For how long after its last renewal of the Lease a leader changes anything on an engine"
    )
    lease_retry_period: Timeout = Field(2.0, description="How often a leader renews the Lease, and the others look at it")
    lease_request_timeout: Timeout = Field(3.0, description="How long one request about the Lease may take")
    lease_duration: Timeout = Field(
        15.0,
        validate_default=True,  # or the others would not be held against it; it stands behind them, so that they are known here
        description="How long a Lease that nobody renews is taken for held; whole seconds, at least renew deadline + request timeout + 2s",
    )
    drain: Annotated[Duration, Field(ge=0, le=3600)] = Field(
        20.0, description="How long dispatches under way may go on after SIGTERM or Ctrl-C; 0: not at all"
    )
    http_address: Annotated[ListenAddress | None, NoDecode, BeforeValidator(_listen_address)] = Field(
        None,
        description="Where /healthz, /readyz and /metrics are: :8080 or 127.0.0.1:8080; unset: :8080 in `controller`, nowhere in `run`",
    )
    jaeger_url: Annotated[JaegerAddress | None, NoDecode, BeforeValidator(_jaeger_address)] = Field(
        None,
        description="Where `tinyforge trace` finds Jaeger's query port: http://127.0.0.1:16686; also with user:password@, and a path",
    )
    trace_unchanged: TraceUnchanged = Field(
        TraceUnchanged.ALL,
        description="Which dispatches on the timer leave a trace though they found nothing new: all, heartbeat (one in 10 minutes), none",
    )
    missing_retention: Annotated[Duration, Field(ge=0)] = Field(30 * 86400.0, description="How long a missing row is kept; 0: for ever")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, one JSON object a line otherwise")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least important lines that are still logged")

    @property
    def lease_times(self) -> LeaseTimes:
        """How long the Lease is worth something."""
        return LeaseTimes(duration=self.lease_duration, **{name: getattr(self, f"lease_{name}") for name in _OTHER_TIMES})

    @field_validator("lease_duration")
    @classmethod
    def _lasts_long_enough(cls, duration: float, others: ValidationInfo) -> float:
        """Refuse times that do not fit together (invariant I7 of the election), if each of them can be used by itself."""
        times = {name: others.data[f"lease_{name}"] for name in _OTHER_TIMES if f"lease_{name}" in others.data}
        fault = LeaseTimes(duration=duration, **times).fault
        if fault and len(times) == len(_OTHER_TIMES):
            names = ", ".join(f"{PREFIX}LEASE_{name.upper()}" for name in _OTHER_TIMES)
            raise PydanticCustomError("lease_times", "does not fit {names}: {fault}", {"names": names, "fault": fault})
        return duration


def load_settings(faults: Iterable[str] = ()) -> Settings:
    """Return the settings of the environment.

    Args:
        faults: what is wrong with variables that are not Tinyforge's own, a sentence each: they are told together.

    Raises:
        SettingsError: some cannot be used; the text has a line for each, with its name, what is wrong and what is allowed, and no secret.
    """
    others = list(faults)
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"{PREFIX}{str(fault['loc'][0]).upper()}: {_describe(fault)}" for fault in error.errors() if fault["loc"]]
        raise SettingsError("\n".join([*lines, *others])) from error
    if others:
        raise SettingsError("\n".join(others))
    return settings


def unknown_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none: a typing mistake must not pass in silence."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not name.startswith(_NOT_SETTINGS):
            near = get_close_matches(name, known, n=1)
            sentences.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "; `tinyforge settings` lists them"))
    return sentences


def _describe(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message if "secret" in str(fault["type"]) else f"{str(fault['input'])[:80]!r} {message[:1].lower()}{message[1:]}"
