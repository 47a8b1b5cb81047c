"""Places in traces, as they are written down: in a status, in a log line, on an object that somebody else traces."""

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_LONGEST = 256
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class Traceparent:
    """A span of a trace, in the form of W3C Trace Context (level 1, "traceparent header").

    `trace_id` has 32 and `span_id` 16 lower-case hexadecimal digits, neither is all zeros; `sampled` says whether somebody recorded it.
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    def __str__(self) -> str:
        """Return it as version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled * _SAMPLED:02x}"

    @classmethod
    def parse(cls, text: str) -> "Traceparent | None":
        """Read what somebody wrote; None if it is none. Of a newer version the known beginning counts, as the standard has it."""
        found = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None or (text.startswith("00-") and found[4]) or not int(found[1], 16) or not int(found[2], 16):
            return None
        return cls(trace_id=found[1], span_id=found[2], sampled=bool(int(found[3], 16) & _SAMPLED))
