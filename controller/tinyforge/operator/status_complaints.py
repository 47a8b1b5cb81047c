"""What goes wrong with statuses, said once: when it begins, when it changes, and when it ends, with how often it had failed by then."""

import logging

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectRef
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.texts import printable
from tinyforge.operator.log_fields import fields_of
from tinyforge.operator.status_record import MATTERS_OF_PERMISSION

logger = logging.getLogger(__name__)

_LENGTH = 512  # characters of a foreign text in a line


class StatusComplaints:
    """What has been said and is still so. A missing permission is said once for all objects of a kind in a namespace."""

    def __init__(self) -> None:
        self._refused: dict[ObjectRef, Complaint] = {}
        self._forbidden: dict[tuple[str, str], set[ObjectRef]] = {}
        self._left_out: dict[ObjectRef, tuple[str, ...]] = {}
        self._away = Complaint()

    def refused(self, ref: ObjectRef, error: ClusterRefused | ClusterUnavailable) -> None:
        """Say that the API server will not have a status, and why in its own words."""
        text = printable(str(error), _LENGTH)
        is_news = self._refused.setdefault(ref, Complaint()).is_news(text)
        if error.status in MATTERS_OF_PERMISSION:
            together = self._forbidden.setdefault((ref.kind, ref.namespace), set())
            is_news = not together
            together.add(ref)
        if is_news:
            logger.warning(
                "%s: its status is refused, and shows what it was before: %s",
                ref,
                text,
                extra={"action": "status_refused", "status": error.status, **fields_of(ref)},
            )

    def taken(self, ref: ObjectRef) -> None:
        """Say that the status of an object is taken again, if it was refused."""
        if ref in self._refused:
            failures = self._refused[ref].over()
            extra = {"action": "status_taken", "failures": failures, **fields_of(ref)}
            logger.info("%s: its status is taken again (failures: %d)", ref, failures, extra=extra)
            self._drop_refusal(ref)

    def left_out(self, ref: ObjectRef, fields: tuple[str, ...]) -> None:
        """Say which fields of a status are shown to nobody because its schema does not take them, which is a mistake of ours."""
        if fields and self._left_out.get(ref) != fields:
            logger.warning(
                "%s: its status is written without %s, which its schema does not take",
                ref,
                ", ".join(fields[:5]),
                extra={"action": "status_left_out", "fields": fields[:20], **fields_of(ref)},
            )
        self._replace(ref, fields)

    def away(self, error: ClusterUnavailable) -> None:
        """Say that the API server takes no statuses now."""
        if self._away.is_news("away"):  # in whichever words: an outage has many
            logger.warning(
                "no status is written until the API server answers: %s", printable(str(error), _LENGTH), extra={"action": "statuses_wait"}
            )

    def answers(self) -> None:
        """Say that the API server takes statuses again, if it did not."""
        if failures := self._away.over():
            extra = {"action": "statuses_written", "failures": failures}
            logger.info("the API server answers: statuses are written again (failures: %d)", failures, extra=extra)

    def forget(self, ref: ObjectRef) -> None:
        """Forget what was said of an object that is gone."""
        self._drop_refusal(ref)
        self._left_out.pop(ref, None)

    def _drop_refusal(self, ref: ObjectRef) -> None:
        self._refused.pop(ref, None)
        self._forbidden.get((ref.kind, ref.namespace), set()).discard(ref)

    def _replace(self, ref: ObjectRef, fields: tuple[str, ...]) -> None:
        if fields:
            self._left_out[ref] = fields
        else:
            self._left_out.pop(ref, None)
