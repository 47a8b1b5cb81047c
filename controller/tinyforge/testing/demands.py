"""What is demanded of a plugin's answers; whatever falls short raises AssertionError, which pytest shows as a failed test."""

import json
import math
import re

from tinyforge.plugin import Changed, DeploymentIntent, Failed, Skipped

_WORD = re.compile(r"[A-Z][A-Za-z0-9]{0,127}")  # the reasons of Kubernetes' conditions, as Tinyforge writes them
_MOST_CHARACTERS = 1024  # of a condition's message
_LONGEST_ID = 255


def demand(holds: bool, sentence: str) -> None:
    """Say a sentence if something does not hold.

    Raises:
        AssertionError: it does not.
    """
    if not holds:
        raise AssertionError(sentence)


def demand_fit_words(name: str, answer: object) -> None:
    """Demand that what an answer says is fit for people and scripts."""
    match answer:
        case Failed(reason=reason, message=message, retry_after=retry_after):
            _demand_word(name, reason)
            _demand_sentence(name, message)
            demand(_is_time(retry_after), f"{name}: retry_after is a number of seconds or None, and not {retry_after!r}")
        case Skipped(reason=reason, message=message):
            _demand_word(name, reason)
            _demand_sentence(name, message)
        case Changed(message=message):
            _demand_sentence(name, message)
        case DeploymentIntent(id=id_, reason=reason, parameters=parameters):
            demand(_is_id(id_), f"{name}: an intent has an id, of at most {_LONGEST_ID} characters, and not {id_!r}")
            _demand_sentence(name, reason)
            demand(_is_json(parameters), f"{name}: an intent's parameters have to be JSON, and {parameters!r} is not")
        case _:
            return


def _demand_word(name: str, reason: object) -> None:
    fits = isinstance(reason, str) and _WORD.fullmatch(reason)
    demand(bool(fits), f"{name}: a reason is one CamelCase word, as ImageNotFound, and not {reason!r}")


def _demand_sentence(name: str, message: object) -> None:
    fits = isinstance(message, str) and message.strip() and message.isprintable() and len(message) <= _MOST_CHARACTERS
    demand(bool(fits), f"{name}: what people read is one printable line of at most {_MOST_CHARACTERS} characters, and not {message!r}")


def _is_time(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value) and value >= 0)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID


def _is_json(value: object) -> bool:
    try:
        return bool(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return False
