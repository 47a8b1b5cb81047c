"""Which files hold the keys of machines, and which only look so."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.engine.known_hosts import holds_host_keys

KIND = b"ssh-ed25519"
KEY = b64encode(len(KIND).to_bytes(4) + KIND + (32).to_bytes(4) + bytes(32))


@pytest.mark.parametrize(
    "line",
    [
        b"vps1.example.com ssh-ed25519 " + KEY,
        b"[10.0.0.7]:2222,vps1 ssh-ed25519 " + KEY + b" a comment",
        b"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= ssh-ed25519 " + KEY,
        b"@cert-authority *.example.com ssh-ed25519 " + KEY,
        b"\t vps1 \t ssh-ed25519 " + KEY + b"\r",
        b"# vps1\n\nrubbish\nvps1 ssh-ed25519 " + KEY,
    ],
)
def test_a_line_as_ssh_keyscan_or_an_administrator_writes_it_is_a_key(line: bytes):
    assert holds_host_keys(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"#vps1 ssh-ed25519 " + KEY,
        b"ssh-ed25519 " + KEY,
        b"ssh-ed25519 " + KEY + b" root@vps1",
        b"vps1 ssh-rsa " + KEY,
        b"vps1 ssh-ed25519 AAAA",
        b"vps1 ssh-ed25519 " + KEY[:20],
        b"vps1 ssh-ed25519 =",
        b"@cert-authority ssh-ed25519 " + KEY,
        b"-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_what_ssh_passes_over_is_no_key(line: bytes):
    assert not holds_host_keys(line)


@given(st.binary())
def test_any_bytes_are_judged(content: bytes):
    assert holds_host_keys(content) in (True, False)


@given(st.binary(), st.binary())
def test_a_key_is_found_between_any_other_lines(before: bytes, after: bytes):
    assert holds_host_keys(b"\n".join((before, b"vps1 ssh-ed25519 " + KEY, after)))
