"""What a bare word of YAML stands for, as Kubernetes' own reader takes it, so that a file means the same in both drivers.

That is YAML 1.1's `yes` and `no`, but neither its base-60 numbers nor its dates: `22:22` and `2024-01-01` are text. What JSON has no word
for, as `.nan`, is refused rather than taken for text.
"""

import math
import re

Scalar = str | int | float | bool | None

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE|yes|Yes|YES|on|On|ON")
_FALSE = re.compile(r"false|False|FALSE|no|No|NO|off|Off|OFF")
_INTEGERS = (
    (10, re.compile(r"[-+]?(0|[1-9][0-9_]*)")),
    (2, re.compile(r"[-+]?0b[01][01_]*")),
    (8, re.compile(r"[-+]?0o?[0-7][0-7_]*")),
    (16, re.compile(r"[-+]?0x[0-9a-fA-F][0-9a-fA-F_]*")),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 64


def plain_value(text: str) -> Scalar:
    """Return what `text`, written without quotes, stands for.

    Raises:
        ValueError: it is a number that JSON cannot write, or one too long to be meant.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Scalar:
    for base, pattern in _INTEGERS:
        if pattern.fullmatch(text):
            return int(_short(text).replace("_", ""), base)
    if _FLOAT.fullmatch(text):
        return _finite(float(_short(text)))
    if _NO_NUMBER.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON can write; put it in quotes if text is meant")
    return text


def _short(text: str) -> str:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has at most {_MAX_DIGITS} digits; put it in quotes if text is meant")
    return text


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("the number is too large; put it in quotes if text is meant")
    return number
