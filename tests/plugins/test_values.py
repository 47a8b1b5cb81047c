"""What plugins are given and answer may hold secrets: it is shown nowhere by accident."""

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from tinyforge.plugin import DeploymentIntent, InboundEvent, Seen, Workload


class Config(BaseModel):
    token: str = "hunter2"


@pytest.mark.parametrize(
    "value",
    [
        Seen(workload=Workload(id="default/shop", kind="stack", host="local"), config=Config(), containers=(), as_of=datetime.now(UTC)),
        InboundEvent(id="request-1", kind="manual", sender="somebody", body={"token": "hunter2"}),
        DeploymentIntent(id="request-1", reason="wanted", parameters={"token": "hunter2"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_be_a_secret_is_in_no_repr(value: object) -> None:
    assert "hunter2" not in repr(value)
