"""Which version of the Docker Engine API to speak: the newest that both sides know.

A fixed version breaks: engine 20.10 knows nothing above 1.41, and engine 29 refuses everything below 1.44. An engine says what it knows in
the header `Api-Version` of `GET /_ping`.
"""

import re
from typing import NamedTuple, Self

from tinyforge.domain.texts import printable
from tinyforge.ports import EngineError, EngineReason


class ApiVersion(NamedTuple):
    """A version of the Engine API, in the order of their making."""

    major: int
    minor: int

    @classmethod
    def of(cls, header: str | None) -> Self:
        """Read what an engine says of itself.

        Raises:
            EngineError: it says nothing usable, so it is none that Tinyforge can speak to.
        """
        match = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})", header or "")
        if match is None:
            said = f"the API version {printable(header, 40)!r}" if header else "no API version"
            raise EngineError(
                EngineReason.UNSUPPORTED_VERSION, f"what answers names {said} in the header Api-Version: is it a Docker Engine?"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


OLDEST = ApiVersion(1, 24)  # Docker 1.12; the oldest that engines before 29 still speak
NEWEST = ApiVersion(1, 55)  # nothing that is asked here was changed up to it (Docker's "Engine API version history")


def common_version(theirs: ApiVersion) -> ApiVersion:
    """Return the newest version that both sides speak.

    Raises:
        EngineError: the engine is too old.
    """
    if theirs < OLDEST:
        raise EngineError(
            EngineReason.UNSUPPORTED_VERSION, f"the engine speaks API version {theirs}; {OLDEST} is the oldest that works: update it"
        )
    return min(theirs, NEWEST)
