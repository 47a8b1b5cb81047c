"""Triggers whose answers fall short, and one that is good."""

import uuid

from tests.plugins.falling_short import ANSWERS, SAME, SIGHTS, UNKNOWN, WORDS, Trigger, fails
from tinyforge.plugin import DeploymentIntent


@fails()
class TestGoodTrigger(Trigger):
    pass


@fails(SAME, says="check, asked twice for the same")
class TestIntentOfAnotherNameEachTime(Trigger):
    async def check(self, seen):
        return DeploymentIntent(id=str(uuid.uuid4()), reason="it is time")


@fails(WORDS, says="an intent has an id")
class TestIntentWithoutAName(Trigger):
    async def check(self, seen):
        return DeploymentIntent(id="", reason="it is time")


@fails(WORDS, says="parameters have to be JSON")
class TestParametersThatAreNoJson(Trigger):
    async def check(self, seen):
        return DeploymentIntent(id="1", reason="it is time", parameters={"at": {1, 2}})


@fails(UNKNOWN, says="has to be Skipped")
class TestDeploysForAnybody(Trigger):
    async def receive(self, seen, event):
        return DeploymentIntent(id=event.id, reason="somebody asked for it")


@fails(ANSWERS, SIGHTS, SAME, UNKNOWN, says="manual event has to answer DeploymentIntent or Skipped, and answered None")
class TestAnswersAnEventWithNothing(Trigger):
    async def receive(self, seen, event):
        return None
