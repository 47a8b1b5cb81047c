"""How often and how long, as the settings say it: for either driver."""

import logging

from tinyforge.domain.dispatch import TraceUnchanged
from tinyforge.domain.passes import effective_interval
from tinyforge.reconcile.leading import Rhythm
from tinyforge.settings import Settings

logger = logging.getLogger(__name__)


def rhythm_of(settings: Settings) -> Rhythm:
    """Return the rhythm; an interval that is clamped is said in the log (rule P2)."""
    interval = effective_interval(settings.interval)
    if interval != settings.interval:
        logger.warning("TINYFORGE_INTERVAL: %g s means %g s", settings.interval, interval, extra={"action": "interval_clamped"})
    return Rhythm(
        interval=interval,
        dispatch_timeout=settings.dispatch_timeout,
        missing_retention=settings.missing_retention,
        trace_unchanged=settings.trace_unchanged,
    )


def leaves_out(settings: Settings) -> bool:
    """Tell whether some dispatches leave no trace."""
    return settings.trace_unchanged is not TraceUnchanged.ALL
