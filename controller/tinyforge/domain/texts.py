"""Foreign text, made fit for a message and for a status.

An engine, a certificate, ssh, a plugin and an object may say anything, escape sequences for the reader's terminal included. What of it
reaches an error or a condition is short and printable, and a reason is one word of the kind that Kubernetes asks for.
"""

import re

from tinyforge.domain.conditions import Condition, ConditionStatus

MESSAGE_LENGTH = 1024
"""The longest message that the CRDs take (`status.conditions[].message`), in characters."""
REASON_LENGTH = 128
"""The longest reason that the CRDs take (`status.conditions[].reason`), in characters."""

_FOREIGN_TO_A_REASON = re.compile(r"[^A-Za-z0-9_,:]+")


def printable(text: str, length: int = 200) -> str:
    """Return `text` on one line, without anything unprintable, cut to `length` characters: 200 say enough in an error."""
    words = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * length]).split()
    line = " ".join(words)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def condition(type_: str, status: ConditionStatus, reason: str, message: str) -> Condition:
    """Return a condition whose message any status takes; `reason` is a word of ours, or went through `one_word`."""
    return Condition(type=type_, status=status, reason=str(reason), message=printable(message, MESSAGE_LENGTH))


def one_word(text: str, *, otherwise: str) -> str:
    """Return what of `text` may be a condition's reason, or `otherwise` if nothing may.

    That is `^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$` (metav1.Condition) of at most 128 characters; a text that fits stays as it is.
    """
    kept = _FOREIGN_TO_A_REASON.sub("", text[: 4 * REASON_LENGTH]).lstrip("0123456789_,:")
    return kept[:REASON_LENGTH].rstrip(",:") or otherwise
