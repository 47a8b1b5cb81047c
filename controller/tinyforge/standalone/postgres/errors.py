"""The one error that leaves the embedded PostgreSQL."""

from tinyforge.ports import TinyforgeError

OUTPUT_LINES = 10  # the cause of a failed start is the last FATAL line and its hints


class EmbeddedPostgresError(TinyforgeError):
    """The embedded PostgreSQL cannot be used; the text names the folder, the cause and the way out.

    `output` is what PostgreSQL itself said (its log, or what initdb printed); its last lines end the text.
    """

    def __init__(self, message: str, *, output: str = "") -> None:
        said = output.strip().splitlines()[-OUTPUT_LINES:]
        super().__init__("\n    ".join([f"{message} PostgreSQL said:", *said]) if said else message)
