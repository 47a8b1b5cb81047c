"""Where Jaeger is, as somebody writes it; a password in it is used and never shown."""

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.jaeger.address import JaegerAddress

PASSWORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("http://127.0.0.1:16686", "http://127.0.0.1:16686"),
        ("http://127.0.0.1:16686/", "http://127.0.0.1:16686"),
        ("https://traces.example.com/jaeger/", "https://traces.example.com/jaeger"),
        ("http://[::1]:16686", "http://[::1]:16686"),
        ("http://me:secret@jaeger:16686/ui", "http://jaeger:16686/ui"),
    ],
)
def test_an_address_as_text_ends_without_a_slash_and_has_no_credentials(written: str, base: str) -> None:
    assert str(JaegerAddress.parse(written)) == base


@given(user=PASSWORDS.filter(lambda user: ":" not in user), password=PASSWORDS)
def test_credentials_are_what_was_percent_encoded(user: str, password: str) -> None:
    address = JaegerAddress.parse(f"http://{quote(user, safe='')}:{quote(password, safe='')}@jaeger:16686")
    assert (address.user, address.password, str(address)) == (user, password, "http://jaeger:16686")


def test_credentials_are_not_in_its_repr() -> None:
    assert repr(JaegerAddress.parse("http://me:hunter2@jaeger")) == "JaegerAddress(base='http://jaeger')"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "jaeger:16686",
        "//jaeger",
        "ftp://jaeger",
        "http://",
        "http://:16686",
        "http://jaeger:port",
        "http://jaeger:70000",
        "http://jaeger:0",
        "http://[::1",
        "http://jaeger/?service=tinyforge",
        "http://jaeger/#top",
        "http://jaeger /",
        "http://jaeger\n/",
        "http://jäger",
        "http://me:hunter/2@jaeger",
        "http://me:hunter?2@jaeger",
        "http://me:hunter#2@jaeger",
        "http://me:1234/hunter2@jaeger",
        "http://me%3Ahunter:2@jaeger",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(written: str) -> None:
    with pytest.raises(ValueError, match="allowed: http:// or https://") as caught:
        JaegerAddress.parse(written)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "hunter" not in str(caught.value)


@given(st.text(), st.text(max_size=20))
def test_any_text_is_an_address_that_a_client_understands_or_refused(before: str, after: str) -> None:
    try:
        address = JaegerAddress.parse(f"http://{before}@{after}")
    except ValueError:
        return
    parts = urlsplit(str(address))
    assert (parts.scheme, parts.username, parts.password, parts.query, parts.fragment) == ("http", None, None, "", "")
    assert parts.hostname
    assert "@" not in str(address)
