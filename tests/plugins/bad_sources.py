"""Sources whose answers fall short, and one that is good."""

import asyncio
import sys
import time

from tests.plugins.falling_short import AGAIN, ANSWERS, CANCEL, PURE, SIGHTS, WORDS, Source, fails
from tinyforge.plugin import Changed, Failed, Skipped, Unchanged


@fails()
class TestGoodSource(Source):
    pass


@fails(ANSWERS, SIGHTS, AGAIN, says="teardown has to answer Unchanged or Changed or Failed or Skipped, and answered None")
class TestNoAnswer(Source):
    async def teardown(self, seen):
        return None


@fails(ANSWERS, WORDS, PURE, SIGHTS, AGAIN, says="teardown raised TypeError")
class TestNoCoroutine(Source):
    def teardown(self, seen):
        return Unchanged()


@fails(ANSWERS, says="teardown gave no answer within 0.5 s")
class TestLate(Source):
    first = True

    async def teardown(self, seen):
        if type(self).first:
            type(self).first = False
            await asyncio.sleep(3600)
        return Unchanged()


@fails(ANSWERS, says="teardown let nothing else run for")
class TestBlocksForAWhile(Source):
    first = True

    async def teardown(self, seen):
        if type(self).first:
            type(self).first = False
            time.sleep(0.7)  # noqa: ASYNC251 - what is wrong with it
        return Unchanged()


@fails(ANSWERS, says="teardown blocks the event loop")
class TestBlocks(Source):
    first = True

    async def teardown(self, seen):
        if type(self).first:
            type(self).first = False
            time.sleep(3600)  # noqa: ASYNC251 - what is wrong with it
        return Unchanged()


@fails(SIGHTS, says="reconcile raised UnicodeEncodeError")
class TestRaises(Source):
    async def reconcile(self, seen):
        for container in seen.containers:
            container.role.encode("ascii")
        return Unchanged()


@fails(ANSWERS, WORDS, PURE, SIGHTS, AGAIN, says="teardown raised SystemExit: enough")
class TestExits(Source):
    async def teardown(self, seen):
        sys.exit("enough")


@fails(CANCEL, says="deploy swallows its cancellation")
class TestSwallowsItsCancellation(Source):
    async def deploy(self, seen, intent):
        try:
            await asyncio.sleep(0.01)
        except BaseException:  # noqa: BLE001 - what is wrong with it
            return Unchanged()
        return Unchanged()


@fails(CANCEL, says="deploy goes on though it was cancelled")
class TestGoesOnThoughCancelled(Source):
    async def deploy(self, seen, intent):
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)
        return Unchanged()


@fails(PURE, says="reconcile changed what it was given")
class TestChangesItsConfig(Source):
    async def reconcile(self, seen):
        seen.config.tags.append("b")
        return Unchanged()


@fails(PURE, says="deploy changed what it was given")
class TestChangesTheIntent(Source):
    async def deploy(self, seen, intent):
        intent.parameters["nested"]["list"].append(3)
        return Unchanged()


@fails(WORDS, says="a reason is one CamelCase word, as ImageNotFound, and not 'image not found'")
class TestReasonOfSeveralWords(Source):
    async def reconcile(self, seen):
        return Failed(reason="image not found", message="there is no such image: push it", retry_after=None)


@fails(WORDS, says="one printable line")
class TestMessageOfSeveralLines(Source):
    async def reconcile(self, seen):
        return Skipped(reason="Later", message="not\nnow")


@fails(WORDS, says="one printable line")
class TestNothingSaidOfAChange(Source):
    async def deploy(self, seen, intent):
        return Changed(message=" ")


@fails(WORDS, says="retry_after is a number of seconds or None, and not inf")
class TestRetryAtNoTime(Source):
    async def reconcile(self, seen):
        return Failed(reason="Busy", message="it is busy: wait", retry_after=float("inf"))


@fails(AGAIN, says="deploy, asked twice for the same, answered Changed")
class TestFailsTheSecondTime(Source):
    deployed = False

    async def deploy(self, seen, intent):
        if self.deployed:
            return Failed(reason="NameTaken", message="the name is taken: take it away", retry_after=1)
        self.deployed = True
        return Changed(message="deployed")
