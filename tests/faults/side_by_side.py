"""Many tries of one thing at the same time, for tests that mostly wait."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor


def side_by_side(work: Callable[[str], None], names: Iterable[str]) -> None:
    """Do `work` for each name in a thread of its own, and wait for all.

    Raises:
        ExceptionGroup: what went wrong, with a note of the name.
    """
    names = list(names)
    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = {name: pool.submit(work, name) for name in names}
    errors = []
    for name, outcome in outcomes.items():
        if error := outcome.exception():
            error.add_note(f"in the case: {name}")
            errors.append(error)
    if errors:
        raise BaseExceptionGroup(f"{len(errors)} of {len(names)} cases", errors)
