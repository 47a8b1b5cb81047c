"""What a leader takes out of the index once an hour: rows that have been missing for long, and requests that were answered."""

import asyncio
import logging
from typing import NoReturn

from tinyforge.domain.complaints import Complaint
from tinyforge.ports import Fenced, Housekeeping, IndexRefused, IndexUnavailable

logger = logging.getLogger(__name__)

_SECONDS = 3600.0


async def keep_house(housekeeping: Housekeeping, *, retention: float) -> NoReturn:
    """Prune now, and every hour; an hour in which PostgreSQL does not take it is left out.

    Args:
        housekeeping: the index's.
        retention: how many seconds a missing row stays; 0: for ever.

    Raises:
        Fenced: another process leads.
    """
    complaint = Complaint()
    while True:
        try:
            pruned = await housekeeping.prune(retention=retention)
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            if complaint.is_news(str(error)):
                logger.warning("housekeeping postponed: %s", error, extra={"action": "housekeeping_postponed"})
        else:
            complaint.over()
            if pruned:
                logger.info("%d rows pruned: %s", len(pruned), ", ".join(pruned), extra={"action": "rows_pruned", "rows": list(pruned)})
        await asyncio.sleep(_SECONDS)
