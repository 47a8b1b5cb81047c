"""What all verbs share: examples in their help, and an exit code for every end.

A `TinyforgeError` is told in one line or more, without a traceback; anything else that is raised is a mistake of ours, and is shown whole.
"""

import errno
import io
import logging
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from tinyforge.cli.output import plain
from tinyforge.cli.process import EXIT_CODES, Terminated, signals_raised
from tinyforge.logs import configure_logs
from tinyforge.ports import TinyforgeError
from tinyforge.settings import Settings, SettingsError, load_settings, unknown_settings

logger = logging.getLogger(__name__)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Failure(click.ClickException):
    """A verb could not do what it was asked to; click prints the message and exits with 1."""

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(plain(line) for line in message.splitlines()))


class UnusableSettings(Failure):
    """A verb did not begin."""

    exit_code = 2


class Verb(click.Command):
    """One verb. `examples` maps command lines to what they are for."""

    def __init__(self, *args: Any, examples: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            formatter.write_dl(list(self._examples.items()), col_max=50)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb, and give every way it can end its exit code."""
        _print_anything()
        try:
            with signals_raised():
                return super().invoke(ctx)
        except SettingsError as error:
            raise UnusableSettings(f"these settings cannot be used:\n{error}") from error
        except TinyforgeError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # click's own: whoever read has gone, and need not be told
                raise
            raise Failure(str(error)) from error
        except Terminated:
            ctx.exit(EXIT_CODES[signal.SIGTERM])
        except KeyboardInterrupt:
            ctx.exit(EXIT_CODES[signal.SIGINT])


def _print_anything() -> None:
    """Let nothing be unprintable: what a terminal without UTF-8 cannot show is written out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def start_verb(*, faults: Iterable[str] = ()) -> Settings:
    """Return the settings, with the log set up as they say, and a warning for each variable that looks like one and is none.

    Args:
        faults: what is wrong with other variables that this verb goes by, a sentence each.

    Raises:
        SettingsError: some cannot be used.
    """
    settings = load_settings(faults)
    configure_logs(form=settings.log_format, level=settings.log_level, stream=sys.stderr)
    for sentence in unknown_settings():
        logger.warning("%s", sentence, extra={"action": "unknown_setting"})
    return settings
