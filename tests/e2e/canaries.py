"""Secrets that tests plant in everything Tinyforge is given, and look for in everything it says (fault 44).

A canary is a word that nobody else writes. It is heard as it is, and inside base64, where a Secret, a header and a token would hide it.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from uuid import uuid4

_SHORTEST = 12  # characters: a shorter word may stand anywhere by chance


class Canaries:
    """Those of one test, each known by where it was planted."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def plant(self, place: str) -> str:
        """Return a new canary for a place; it is letters and digits, so that no quoting or encoding of a URL changes it."""
        return self.hold(place, f"canary{uuid4().hex}")

    def hold(self, place: str, secret: str) -> str:
        """Look for a secret of somebody else's making too, and return it; one of several lines is known by its longest."""
        longest = max((line.strip() for line in secret.splitlines()), key=len)
        assert len(longest) >= _SHORTEST, "this is no secret"
        assert place not in self._secrets, f"{place} has its canary"
        self._secrets[place] = longest
        return secret

    def heard_in(self, text: str) -> list[str]:
        """Return where each canary was planted that `text` repeats."""
        return [place for place, secret in self._secrets.items() if any(form in text for form in _forms(secret))]

    def assert_silent(self, sinks: Mapping[str, str]) -> None:
        """See that nothing of them is in any of these texts, each of which has to say something."""
        assert {sink for sink, text in sinks.items() if not text.strip()} == set(), "these say nothing, so nothing is proved of them"
        heard = {sink: places for sink, text in sinks.items() if (places := self.heard_in(text))}
        assert heard == {}, "\n".join(_context(sinks[sink], self._secrets[place]) for sink, places in heard.items() for place in places)


def _forms(secret: str) -> set[str]:
    """Return a text as it is, and what is left of it in base64 wherever it stands in what is encoded."""
    encoded = [b64encode(b" " * shift + secret.encode()).decode().rstrip("=") for shift in range(3)]
    return {secret, *(each[4:-2] for each in encoded)}


def _context(text: str, secret: str) -> str:
    found = re.search("|".join(map(re.escape, _forms(secret))), text)
    assert found
    return f"…{text[max(found.start() - 300, 0) : found.end() + 100]}…"
