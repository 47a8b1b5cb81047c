"""Kubernetes Events about the Lease: who leads, with which epoch and why, and who has stepped down. Nothing waits for them long."""

import asyncio
import logging
from typing import Protocol

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, Event, EventType

logger = logging.getLogger(__name__)


class EventSink(Protocol):
    """Where the events go: `tinyforge.cluster.ClusterLeases` takes them."""

    async def post_event(self, event: Event) -> None:
        """Add an Event about the Lease."""
        ...


def elected_event(*, holder: str, epoch: int, reason: str) -> Event:
    """Return the event that somebody leads."""
    return Event(type=EventType.NORMAL, reason="LeaderElected", action="Campaign", note=f"{holder} leads with epoch {epoch}: {reason}")


def stepped_down_event(*, holder: str, epoch: int) -> Event:
    """Return the event that nobody leads any more, for the time being."""
    return Event(type=EventType.NORMAL, reason="LeaderSteppedDown", action="StepDown", note=f"{holder} gave epoch {epoch} back")


async def announce(sink: EventSink, event: Event, *, within: float) -> None:
    """Tell an event, if that can be done in so many seconds."""
    try:
        async with asyncio.timeout(within):
            await sink.post_event(event)
    except (TimeoutError, ClusterUnavailable, ClusterRefused) as error:
        complaint = str(error) or "it took too long"
        logger.warning("the event %s could not be told: %s", event.reason, complaint, extra={"action": "event_dropped"})
