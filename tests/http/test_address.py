"""`TINYFORGE_HTTP_ADDRESS`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.http.address import ListenAddress
from tinyforge.settings import SettingsError, load_settings

VARIABLE = "TINYFORGE_HTTP_ADDRESS"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8080", ListenAddress("", 8080)),
        ("127.0.0.1:8080", ListenAddress("127.0.0.1", 8080)),
        ("[::1]:8080", ListenAddress("::1", 8080)),
        ("[0:0:0:0:0:0:0:1]:8080", ListenAddress("::1", 8080)),
        ("0.0.0.0:1", ListenAddress("0.0.0.0", 1)),  # noqa: S104 - nothing listens there
        ("127.0.0.1:0", ListenAddress("127.0.0.1", 0)),
        (" :65535\n", ListenAddress("", 65535)),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, address: ListenAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    assert load_settings().http_address == address


@pytest.mark.parametrize("environment", [{}, {VARIABLE: ""}])
def test_no_address_is_left_to_the_verb(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings().http_address is None


@pytest.mark.parametrize(
    "text",
    ["8080", "localhost:8080", "::1:8080", "[127.0.0.1]:80", "127.0.0.256:80", "1.2.3:80", "[::g]:80", "[]:80", ":", ":-1", "http://:80"],
)
def test_what_is_no_address_is_refused_with_its_value_and_what_is_allowed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{VARIABLE}: {text!r} ")
    assert ":8080" in str(refused.value)
    assert "[::1]:8080" in str(refused.value)


def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ":65536")
    with pytest.raises(SettingsError, match=f"{VARIABLE}: ':65536' has a port that is none; allowed are 1 to 65535"):
        load_settings()


@given(host=st.one_of(st.just(""), st.ip_addresses().map(str)), port=st.integers(0, 65535))
def test_an_address_is_written_as_it_is_read(host: str, port: int) -> None:
    address = ListenAddress(host, port)
    assert ListenAddress.parse(str(address)) == address


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = ListenAddress.parse(text)
    except ValueError:
        return
    assert ListenAddress.parse(str(address)) == address
