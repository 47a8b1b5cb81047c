"""Kubernetes Events, told when there is time: they are news for people, and nothing waits for them or depends on them."""

import asyncio
import logging
from typing import NoReturn, Protocol

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, Event, ObjectRef
from tinyforge.domain.complaints import Complaint
from tinyforge.operator.log_fields import fields_of

logger = logging.getLogger(__name__)

MOST_WAITING = 256
"""How many events wait at most; then the oldest is dropped."""


class EventSink(Protocol):
    """Where events go: `tinyforge.cluster.Cluster` takes them."""

    async def post_event(self, ref: ObjectRef, event: Event) -> None:
        """Add an Event about an object."""
        ...


class EventPoster:
    """The events that are still to be told. Each is tried once, one after another; what fails is dropped, and counted."""

    def __init__(self, *, sink: EventSink) -> None:
        self._sink = sink
        self._waiting: asyncio.Queue[tuple[ObjectRef, Event]] = asyncio.Queue()
        self._complaint = Complaint()

    def put(self, ref: ObjectRef, event: Event) -> None:
        """Have an event about an object told soon."""
        if self._waiting.qsize() == MOST_WAITING:
            self._waiting.get_nowait()
        self._waiting.put_nowait((ref, event))

    async def run(self) -> NoReturn:
        """Tell events until cancelled."""
        while True:
            ref, event = await self._waiting.get()
            try:
                await self._sink.post_event(ref, event)
            except (ClusterUnavailable, ClusterRefused) as error:
                self._dropped(ref, event, error)
            else:
                self._told()

    def _dropped(self, ref: ObjectRef, event: Event, error: Exception) -> None:
        if self._complaint.is_news(str(error)):
            logger.warning(
                "%s: the event %s could not be told: %s",
                ref,
                event.reason,
                error,
                extra={"action": "event_dropped", "reason": event.reason, **fields_of(ref)},
            )

    def _told(self) -> None:
        if failures := self._complaint.over():
            logger.info("events are told again (failures: %d)", failures, extra={"action": "events_told", "failures": failures})
