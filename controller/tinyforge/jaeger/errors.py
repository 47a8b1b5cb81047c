"""Why there is no trace to show. Each text says what to do, and holds no credentials.

TinyforgeError
 └─ JaegerError          Jaeger gave no usable answer
     ├─ TraceNotFound    it answered, and has no such trace
     └─ AnswerUnreadable what it answered is no trace
"""

from tinyforge.ports import TinyforgeError


class JaegerError(TinyforgeError):
    """Jaeger gave no usable answer."""


class TraceNotFound(JaegerError):
    """Jaeger has no such trace: not yet, or not any more, or nobody sent it there."""


class AnswerUnreadable(JaegerError):
    """What Jaeger answered is no trace; the text says where it is not."""
