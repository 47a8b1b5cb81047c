"""The addresses of engines: what is accepted, and that nothing else is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyforge.domain.endpoints import Endpoint, Scheme

LABELS = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?", fullmatch=True)
HOSTS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
PORTS = st.integers(1, 65535)
USERS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,10}", fullmatch=True)
SOCKETS = st.from_regex(r"(/[A-Za-z0-9._-]{1,10}){1,5}", fullmatch=True)
ADDRESSES = st.one_of(
    st.builds("unix://{}".format, SOCKETS),
    st.builds("tcp://{}:{}".format, HOSTS, PORTS),
    st.builds("ssh://{}@{}:{}{}".format, USERS, HOSTS, PORTS, SOCKETS),
)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("unix:///var/run/docker.sock", Endpoint(scheme=Scheme.UNIX, path="/var/run/docker.sock")),
        ("unix:///home/a b/ü.sock", Endpoint(scheme=Scheme.UNIX, path="/home/a b/ü.sock")),
        ("tcp://docker-1.example.org:2376", Endpoint(scheme=Scheme.TCP, host="docker-1.example.org", port=2376)),
        ("tcp://10.0.0.7:2376/", Endpoint(scheme=Scheme.TCP, host="10.0.0.7", port=2376)),
        ("tcp://[fd00:0::7]:2376", Endpoint(scheme=Scheme.TCP, host="fd00::7", port=2376)),
        ("ssh://root@build", Endpoint(scheme=Scheme.SSH, user="root", host="build", port=22, path="/var/run/docker.sock")),
        (
            "ssh://a.b-c@[::1]:2222/run/user/1000/docker.sock",
            Endpoint(scheme=Scheme.SSH, user="a.b-c", host="::1", port=2222, path="/run/user/1000/docker.sock"),
        ),
    ],
)
def test_the_three_forms_are_taken_apart(text: str, endpoint: Endpoint):
    assert Endpoint.parse(text) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/var/run/docker.sock",
        "unix://",
        "unix://var/run/docker.sock",
        "unix:///var/run/",
        "unix:///var/run/docker.sock\n",
        "unix:///" + "a" * 107,
        "unix:///" + "ü" * 60,
        "http://10.0.0.7:2375",
        "https://10.0.0.7:2376",
        "tcp://10.0.0.7",
        "tcp://10.0.0.7:0",
        "tcp://10.0.0.7:65536",
        "tcp://10.0.0.7:２３７６",
        "tcp://10.0.0.7:2376/v1.41",
        "tcp://user@10.0.0.7:2376",
        "tcp://[::1%25eth0]:2376",
        "tcp://[1.2.3.4]:2376",
        "tcp://a..b:2376",
        "tcp://" + "a" * 64 + ":2376",
        "tcp://" + ".".join(["a" * 60] * 5) + ":2376",
        "tcp://münchen:2376",
        "ssh://build",
        "ssh://@build",
        "ssh://root@",
        "ssh://root@build:",
        "ssh://root@build/a b",
        "ssh://root@build/$HOME/docker.sock",
        "ssh://root@build/%d/docker.sock",
        "ssh://root@build/a:b",
        "ssh://root@build?x=1",
        "ssh://root@build\n",
        "npipe:////./pipe/docker_engine",
        "fd://",
    ],
)
def test_anything_else_is_refused_with_the_value_and_what_is_allowed(text: str):
    with pytest.raises(ValueError, match=r"allowed are|at most|give its whole path") as caught:
        Endpoint.parse(text)
    assert ascii(text)[1:40] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["ssh://-oProxyCommand=reboot@build", "ssh://root@-oProxyCommand=reboot", "tcp://-h:1", "ssh://-l@-l"])
def test_nothing_that_ssh_would_take_for_an_option_gets_through(text: str):
    with pytest.raises(ValueError, match="allowed are"):
        Endpoint.parse(text)


@pytest.mark.parametrize("text", ["ssh://root:canary@build", "tcp://u:canary@h:1", "ssh://root:ca/n@canary@build", "ssh://a/b:canary@c"])
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str):
    with pytest.raises(ValueError, match="allowed are") as caught:
        Endpoint.parse(text)
    assert "canary" not in str(caught.value)


@given(st.one_of(st.text(), ADDRESSES.flatmap(lambda text: st.text(max_size=5).map(lambda more: text + more))))
@example("unix:///\ud800")
@example("tcp://[::::]:1")
def test_whatever_is_parsed_is_an_endpoint_or_a_value_error(text: str):
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint


@given(ADDRESSES)
def test_every_address_of_the_three_forms_is_accepted_and_printed_as_it_is_meant(text: str):
    endpoint = Endpoint.parse(text)
    assert Endpoint.parse(str(endpoint)) == endpoint
    assert not endpoint.host.startswith("-")
    assert not endpoint.user.startswith("-")
