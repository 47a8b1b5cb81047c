"""Foreign text, made fit for a message.

An engine, a certificate and ssh may say anything, escape sequences for the reader's terminal included; what of it goes into an error is
short and printable.
"""


def printable(text: str, length: int = 200) -> str:
    """Return `text` on one line, without anything unprintable, cut to `length` characters."""
    words = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * length]).split()
    line = " ".join(words)
    return line if len(line) <= length else f"{line[: length - 1]}…"
