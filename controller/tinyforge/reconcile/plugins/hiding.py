"""Texts of plugins without what stands in a config (fault 44): a config may hold what is nobody else's business.

Called for what a plugin's code says by mistake: the sentence of a validator, the error that it raised. What a plugin answers on purpose is
its own to word.
"""

from collections.abc import Iterator
from urllib.parse import quote

_SHORTEST_SECRET = 4  # characters: what is shorter is a count or a word of any sentence
_LONGEST_TEXT = 1 << 16  # characters: more of them help nobody, and take a while to look through
_HIDDEN = "***"


def without_values(text: str, *values: object) -> str:
    """Return `text` with every scalar under these JSON values written as `***`; nothing of a text that is too long to be looked through."""
    if len(text) > _LONGEST_TEXT:
        return ""
    for secret in sorted({it for value in values for it in _texts(value) if len(it) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def _texts(value: object) -> Iterator[str]:
    """Yield every scalar under a JSON value, as a sentence, a repr or a URL might show it."""
    match value:
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield from (value, value.strip(), repr(value)[1:-1], quote(value, safe="", errors="replace"))
        case int() | float() if not isinstance(value, bool):
            yield str(value)
        case _:
            return
