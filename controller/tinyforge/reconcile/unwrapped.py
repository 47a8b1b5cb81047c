"""Out of a task group comes a group of errors, and callers know ours one by one."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinyforge.ports import TinyforgeError


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise the first error of ours out of the group of errors that a block raises, chained to the group.

    Raises:
        TinyforgeError: that error.
        BaseExceptionGroup: there is none of ours among them.
    """
    try:
        yield
    except BaseExceptionGroup as errors:
        ours = errors.subgroup(TinyforgeError)
        if ours is None:
            raise
        raise _first(ours) from errors


def _first(errors: BaseExceptionGroup[TinyforgeError]) -> TinyforgeError:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
