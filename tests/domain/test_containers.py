"""What is kept of one entry of Docker's container list."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.containers import Container, Labels, Port

ENTRY: dict[str, Any] = {"Id": "c1", "Image": "app:1", "State": "running", "Created": 7}


def decode(**fields: Any) -> Container:
    return msgspec.json.decode(msgspec.json.encode(ENTRY | fields), type=Container)


@pytest.mark.parametrize("nothing", [{}, {"Names": None, "Ports": None, "Labels": None}, {"Names": [], "Ports": [], "Labels": {}}])
def test_m10_null_names_ports_and_labels_mean_empty(nothing: dict[str, Any]) -> None:
    container = decode(**nothing)
    assert (container.name, container.lowest_port, container.labels or Labels()) == ("", 0, Labels())


def test_m2_an_empty_label_is_an_absent_one() -> None:
    assert decode(Labels={"tinyforge.workload.id": "", "com.docker.compose.project": ""}).labels == decode(Labels={}).labels


def test_labels_are_read_by_their_docker_names_and_no_other_label_is_kept() -> None:
    known = {
        "tinyforge.installation": "a",
        "tinyforge.workload.id": "b",
        "tinyforge.workload.kind": "c",
        "tinyforge.role": "d",
        "tinyforge.static-site": "e",
        "com.docker.compose.project": "f",
        "com.docker.compose.service": "g",
        "com.docker.compose.container-number": "h",
        "com.docker.compose.oneoff": "i",
    }
    labels = decode(Labels={**known, "": "", "__proto__": "x", "installation": "x", "tinyforge.workload": "x"}).labels
    assert msgspec.to_builtins(labels) == known


@pytest.mark.parametrize("entry", [{"Id": ""}, {"Id": None}, {"Ports": [{"PrivatePort": 65536}]}, {"Labels": []}, {"Created": "x"}])
def test_an_entry_that_is_no_container_is_not_read_as_one(entry: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(**entry)


@quick
@given(st.lists(st.integers(0, 65535), min_size=1))
def test_w3_the_port_is_the_lowest_one_in_whatever_order_docker_tells_them(numbers: list[int]) -> None:
    ports = tuple(Port(number) for number in numbers)
    assert msgspec.structs.replace(decode(), ports=ports).lowest_port == min(numbers)


def test_m7_the_name_comes_without_its_slash() -> None:
    assert decode(Names=["/web"]).name == "web"


@quick
@given(st.permutations(["/web", "/linker/db", "/a/b", "/zebra"]))
def test_m7_the_name_is_never_one_that_a_legacy_link_gave(names: list[str]) -> None:
    assert decode(Names=names).name == "web"
