"""What goes wrong again and again: said when it is new, then counted, then said again when it changes or is over.

For whoever tries something until it goes well, and would fill the log with one line for every time it does not.
"""


class Complaint:
    """One trouble, for as long as it lasts. It says nothing itself: whoever has it asks whether there is anything to be said."""

    def __init__(self) -> None:
        self._text: str | None = None
        self.failures = 0
        """How often it failed since it last went well."""

    def is_news(self, text: str) -> bool:
        """Count one more failure, and tell whether it is to be said: it is the first one, or another one than the last."""
        self.failures += 1
        before, self._text = self._text, text
        return text != before

    def over(self) -> int:
        """Take note that it went well, and return how often it had failed since it last did; 0: there is nothing to be said."""
        failures, self.failures, self._text = self.failures, 0, None
        return failures
