"""The planner decides exactly what the rules say, read slowly and word by word."""

from hypothesis import given

from tests.domain.strategies import thorough, worlds
from tests.domain.transcription import settled
from tests.domain.world import World, fates


@thorough
@given(worlds())
def test_m1_to_m12_every_container_fares_as_the_rules_say(world: World) -> None:
    expected, _ = settled(world)
    assert fates(world.plan()) == expected


@thorough
@given(worlds())
def test_m8_w3_w4_s1_s4_every_row_becomes_what_the_rules_say(world: World) -> None:
    _, expected = settled(world)
    assert {row.id: row for row in world.after().rows} == expected
