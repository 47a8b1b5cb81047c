"""A terminal for a program to run on, whose screen a test reads."""

import os
import select
import time

DEADLINE = 20.0


class Terminal:
    """A pseudo-terminal. `program` is the side that a program is given as its stdout."""

    def __init__(self) -> None:
        self._screen, self.program = os.openpty()
        self.seen = ""

    def read_until(self, text: str) -> str:
        """Read until a text has been printed, and return all that was until then."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.seen:
            ready, _, _ = select.select([self._screen], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"no {text!r} in: {self.seen}"
            self.seen += os.read(self._screen, 65536).decode()
        return self.seen

    def close(self) -> None:
        """Give both sides up."""
        os.close(self._screen)
        os.close(self.program)
