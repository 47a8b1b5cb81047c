"""Who wrote what: a table beside the schema that a trigger fills, with what each transaction could see.

It tells whether a row was *committed* after somebody else's claim, even if it was written before: a claim knows the transactions that had
ended by then, and whatever its predecessor committed has to be one of them.
"""

from typing import Any, LiteralString

from tests.e2e.index import Index, until

TABLES = """
CREATE TABLE public.journal (
    number bigserial, at timestamptz, what text, session text, claimed bigint, transaction xid8, seen pg_snapshot
);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    epoch bigint;
BEGIN
    IF TG_TABLE_NAME = 'leaders' THEN
        IF NEW.epoch = OLD.epoch THEN
            RETURN NULL; -- a release
        END IF;
        epoch := NEW.epoch;
    END IF;
    INSERT INTO public.journal (at, what, session, claimed, transaction, seen) VALUES (
        clock_timestamp(), TG_TABLE_NAME, current_setting('application_name'), epoch, pg_current_xact_id(), pg_current_snapshot()
    );
    RETURN NULL;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'tinyforge' LOOP
        EXECUTE format(
            'CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON tinyforge.%I FOR EACH ROW EXECUTE FUNCTION public.note()', name
        );
    END LOOP;
END $$;
"""

STALE = """
SELECT row.number, row.what, mine.claimed, later.claimed
FROM journal AS row
LEFT JOIN journal AS mine ON mine.session = row.session AND mine.claimed IS NOT NULL
LEFT JOIN journal AS later ON later.claimed > mine.claimed
WHERE row.claimed IS NULL AND (mine.claimed IS NULL OR NOT pg_visible_in_snapshot(row.transaction, later.seen))
ORDER BY row.number
"""

WRITERS = """
SELECT mine.claimed FROM journal AS row JOIN journal AS mine ON mine.session = row.session AND mine.claimed IS NOT NULL
WHERE row.claimed IS NULL ORDER BY row.number
"""

GAP = """
SELECT coalesce(max(gap), 0) FROM (
    SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY number))::float8 AS gap FROM journal WHERE claimed IS NULL
) AS gaps
"""


class Journal:
    """Everything that is written to one database from now on."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sql(TABLES)

    def stale(self) -> list[tuple[Any, ...]]:
        """The rows that were committed after somebody else's claim, or by somebody who never made one, with both epochs."""
        return self._sql(STALE)

    def writers(self) -> list[int]:
        """The epochs that wrote, in the order of what they wrote."""
        epochs = [epoch for (epoch,) in self._sql(WRITERS)]
        return [epoch for before, epoch in zip([None, *epochs], epochs, strict=False) if epoch != before]

    def writes(self, epoch: int) -> None:
        """Wait until somebody has written under an epoch."""
        until(lambda: self.writers()[-1:], [epoch])

    def longest_gap(self) -> float:
        """For how many seconds nobody wrote at most."""
        ((seconds,),) = self._sql(GAP)
        return float(seconds)

    def _sql(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return self._index.sql(statement)
