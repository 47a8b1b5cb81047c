"""Rule P6: no host waits for another that is slow, and all together stay within the memory there is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.conftest import Fake, Open
from tests.engine.fake_engine import Behaviour, FakeEngine, chunk, containers, drips, entry, head, says
from tinyforge.engine import Intake
from tinyforge.ports import Engine, EngineError, EngineReason, Listing


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(says(b""), id="that never answer"),
        pytest.param(says(head("Content-Length: 90000") + b"["), id="that hang in the middle of an answer"),
        pytest.param(drips(head("Transfer-Encoding: chunked"), chunk(b" ")), id="that drip"),
    ],
)
async def test_p6_fault_22_fifty_hosts_delay_no_other_host(fake: Fake, opened: Open, behaviour: Behaviour):
    intake = Intake()
    bad = [await fake(behaviour) for _ in range(50)]
    hanging = [asyncio.create_task(opened(server.endpoint, intake=intake).containers()) for server in bad]
    await asyncio.gather(*(server.asked.wait() for server in bad))
    good = opened((await fake(says(containers(entry())))).endpoint, intake=intake)
    async with asyncio.timeout(5):  # a quarter of what the first of the fifty takes to fail
        assert len((await good.containers()).containers) == 1
    assert not any(task.done() for task in hanging)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_p6_no_more_are_let_in_than_there_are_places():
    intake = Intake(places=2, patience=60)
    with intake.body(100) as first, intake.body(100) as second, intake.body(100) as third:
        await first.receive(pieces(b"1"))
        await second.receive(pieces(b"2"))
        waiting = asyncio.create_task(third.receive(pieces(b"3")))
        await asyncio.sleep(0)
        assert not waiting.done()
        first.leave_place()
        await waiting
        assert third.content == b"3"


async def test_p6_a_place_is_given_up_by_who_receives_for_too_long_and_taken_again_to_decode():
    intake = Intake(places=1, patience=0.01)
    may_end = asyncio.Event()

    async def slow_pieces() -> AsyncIterator[bytes]:
        await may_end.wait()
        yield b"slow"

    with intake.body(100) as slow:
        receiving = asyncio.create_task(slow.receive(slow_pieces()))
        await asyncio.sleep(0)
        await intake.places.acquire()
        may_end.set()
        done, _ = await asyncio.wait({receiving}, timeout=0.1)
        assert not done
        intake.places.release()
        await receiving
        assert slow.content == b"slow"


async def test_p6_a_cancelled_receiver_leaves_its_place():
    intake = Intake(places=1, patience=60)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b""

    async def receive() -> None:
        with intake.body(100) as body:
            await body.receive(endless())

    for _ in range(3):
        receiving = asyncio.create_task(receive())
        await asyncio.sleep(0)
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving
    with intake.body(100) as next_one:
        async with asyncio.timeout(1):
            await next_one.receive(pieces(b"in"))


async def started(engine: Engine, server: FakeEngine) -> asyncio.Task[Listing]:
    task = asyncio.create_task(engine.containers())
    await server.asked.wait()
    return task


def long_list(size: int, may_end: asyncio.Event) -> Behaviour:
    """Return the behaviour of an engine whose empty list has `size` bytes, all but the last of which come at once."""

    async def behave(engine: FakeEngine, writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"Content-Length: {size}") + b"[".ljust(size - 1))
        await may_end.wait()
        writer.write(b"]")

    return behave


async def test_p6_of_too_many_bytes_in_flight_the_largest_answer_fails_and_the_others_live(fake: Fake, opened: Open):
    intake = Intake(budget=100_000)
    may_end = asyncio.Event()
    servers = [await fake(long_list(size, may_end)) for size in (60_000, 30_000, 20_000)]
    large, middle, small = [await started(opened(server.endpoint, intake=intake), server) for server in servers]
    with pytest.raises(EngineError, match="largest") as caught:
        await large
    assert caught.value.reason is EngineReason.ANSWER_TOO_LARGE
    may_end.set()
    assert (await middle).containers == (await small).containers == ()


async def test_p6_what_the_largest_answer_took_is_free_at_once():
    intake = Intake(budget=100)
    large_is_in = asyncio.Event()

    async def sixty_and_then_nothing() -> AsyncIterator[bytes]:
        yield b"x" * 60
        large_is_in.set()
        await asyncio.Event().wait()

    with intake.body(100) as large, intake.body(100) as small, intake.body(100) as late:
        receiving = asyncio.create_task(large.receive(sixty_and_then_nothing()))
        await large_is_in.wait()
        await small.receive(pieces(b"x" * 50))
        assert len(large) == 0
        await late.receive(pieces(b"x" * 50))
        with pytest.raises(EngineError, match="it had 60 bytes"):
            await receiving


async def test_p6_one_answer_over_its_limit_fails_alone():
    intake = Intake()
    with intake.body(10) as body, pytest.raises(EngineError, match="over 10 bytes") as caught:
        await body.receive(pieces(b"x" * 10, b"x"))
    assert caught.value.reason is EngineReason.ANSWER_TOO_LARGE
    assert len(body) == 0
