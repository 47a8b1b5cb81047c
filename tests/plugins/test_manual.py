"""The trigger `manual`: a person's wish is one deployment, and nothing else is."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from tinyforge.plugin import DeploymentIntent, InboundEvent, Seen, Skipped, Workload
from tinyforge.triggers.manual import ManualConfig, ManualTrigger

SEEN = Seen(workload=Workload(id="default/shop", kind="stack", host="local"), config=ManualConfig(), containers=(), as_of=datetime.now(UTC))


async def test_by_itself_it_wants_nothing() -> None:
    assert await ManualTrigger().check(SEEN) is None


async def test_a_wish_that_is_told_twice_is_one_deployment() -> None:
    event = InboundEvent(id="request-7", kind="manual", sender="somebody@somewhere")
    first, second = await ManualTrigger().receive(SEEN, event), await ManualTrigger().receive(SEEN, event)
    assert isinstance(first, DeploymentIntent)
    assert (first.id, second) == ("request-7", first)


@pytest.mark.parametrize("kind", ["", "webhook", "Manual"])
async def test_what_no_person_asked_for_is_skipped(kind: str) -> None:
    answer = await ManualTrigger().receive(SEEN, InboundEvent(id="event-1", kind=kind, sender=""))
    assert isinstance(answer, Skipped)
    assert answer.reason == "NotManual"


def test_nothing_can_be_set() -> None:
    with pytest.raises(ValidationError):
        ManualConfig.model_validate({"who": "me"})
