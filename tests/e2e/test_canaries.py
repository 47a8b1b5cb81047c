"""The canaries are heard: in each form in which somebody could repeat a secret."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.canaries import Canaries


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_canary_is_heard_in_base64_wherever_it_stands(before: bytes, after: bytes) -> None:
    canaries = Canaries()
    secret = canaries.plant("Secret")
    assert canaries.heard_in(b64encode(before + secret.encode() + after).decode()) == ["Secret"]


@given(st.text())
def test_nobody_else_sounds_like_one(text: str) -> None:
    canaries = Canaries()
    canaries.plant("Secret")
    assert canaries.heard_in(text) == []


def test_a_canary_that_is_heard_is_named_with_what_stands_around_it() -> None:
    canaries = Canaries()
    secret = canaries.plant("label")
    with pytest.raises(AssertionError, match=f"password is {secret}"):
        canaries.assert_silent({"log": f"the password is {secret}", "spans": "nothing"})


def test_a_sink_that_says_nothing_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="say nothing"):
        Canaries().assert_silent({"log": "\n"})


def test_a_key_is_known_by_a_line_of_its_own() -> None:
    canaries = Canaries()
    canaries.hold("key", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIB\n-----END PRIVATE KEY-----\n")
    assert canaries.heard_in("-----BEGIN PRIVATE KEY-----") == []
    assert canaries.heard_in("xMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBx") == ["key"]
