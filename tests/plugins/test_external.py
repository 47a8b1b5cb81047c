"""The source `external` compares what is seen with what is expected, names what differs, and touches nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinyforge.plugin import Container, DeploymentIntent, Failed, Seen, Skipped, Unchanged, Workload
from tinyforge.sources.external import ExternalConfig, ExternalSource, differences

DIGEST = "sha256:" + "a" * 64


def container(role: str = "web", *, image: str = "nginx:1.27", state: str = "running", port: int = 80) -> Container:
    return Container(row=f"default/shop:{role}", container_id="c" * 64, role=role, image=image, state=state, port=port)


def found(expected: dict[str, Any], *containers: Container) -> tuple[str, ...]:
    return differences(ExternalConfig.model_validate({"roles": expected}).roles, containers)


def seen(config: dict[str, Any], *containers: Container) -> Seen[ExternalConfig]:
    workload = Workload(id="default/shop", kind="stack", host="local")
    return Seen(workload=workload, config=ExternalConfig.model_validate(config), containers=containers, as_of=datetime.now(UTC))


def test_without_an_expectation_nothing_is_compared() -> None:
    assert found({}, container(), container("db", state="missing")) == ()
    assert found({"web": {}}, container(state="stopped")) == ()


def test_what_is_as_expected_differs_in_nothing() -> None:
    expected = {"web": {"replicas": 2, "image": "docker.io/library/nginx:1.27", "ports": [443, 80]}, "": {"replicas": 1}}
    assert found(expected, container(), container(), container(""), container("db")) == ()


@pytest.mark.parametrize(
    ("states", "difference"),
    [
        ([], "role web: 0 of 2 replicas run"),
        (["running"], "role web: 1 of 2 replicas run"),
        (["running", "stopped", "restarting", "missing"], "role web: 1 of 2 replicas run"),
        (["running"] * 3, "role web: 3 replicas run, 2 expected"),
    ],
)
def test_replicas_are_the_containers_that_run(states: list[str], difference: str) -> None:
    assert found({"web": {"replicas": 2}}, *(container(state=state) for state in states)) == (difference,)


def test_a_wrong_image_counts_whether_its_container_runs_or_not_but_not_once_it_is_gone() -> None:
    containers = [container(image="nginx:1.26", state=state) for state in ("running", "stopped", "missing")]
    assert found({"web": {"image": "nginx:1.27"}}, *containers) == (
        "role web: the image of 2 containers is nginx:1.26, expected nginx:1.27",
    )


def test_an_image_whose_tag_has_moved_on_is_told_by_its_id() -> None:
    assert found({"web": {"image": "nginx"}}, container(image=DIGEST)) == (
        f"role web: the image of 1 container is {DIGEST}, expected nginx",
    )
    assert found({"web": {"image": DIGEST}}, container(image=DIGEST), container(image=f"nginx@{DIGEST}")) == ()


@pytest.mark.parametrize(
    ("expected", "port", "difference"),
    [
        ([8080, 443], 443, None),
        ([8080], 80, "80, expected 8080"),
        ([8080], 0, "none, expected 8080"),
        ([], 80, "80, expected none"),
        ([], 0, None),
    ],
)
def test_of_the_ports_the_lowest_is_compared(expected: list[int], port: int, difference: str | None) -> None:
    assert found({"web": {"ports": expected}}, container(port=port)) == (
        (f"role web: the lowest port of 1 container is {difference}",) if difference else ()
    )


def test_ports_are_those_of_containers_that_run() -> None:
    assert found({"web": {"ports": [80]}}, container(state="stopped", port=0)) == ()


def test_containers_without_a_role_are_expected_under_the_empty_name() -> None:
    assert found({"": {"replicas": 1}}) == ("containers without a role: 0 of 1 replicas run",)


async def test_a_drift_is_a_failure_that_names_every_difference() -> None:
    config = {"roles": {"web": {"replicas": 1, "ports": [80]}, "db": {"image": "postgres:17"}}}
    outcome = await ExternalSource().reconcile(seen(config, container(port=81), container(), container("db")))
    assert outcome == Failed(
        reason="Drift",
        message="role web: 2 replicas run, 1 expected; role web: the lowest port of 1 container is 81, expected 80; "
        "role db: the image of 1 container is nginx:1.27, expected postgres:17",
        retry_after=0.0,
    )


async def test_of_very_many_differences_the_first_are_named_and_the_rest_counted() -> None:
    roles = {f"{'w' * 200}{number}": {"replicas": 1} for number in range(200)}
    outcome = await ExternalSource().reconcile(seen({"roles": roles}))
    assert isinstance(outcome, Failed)
    assert len(outcome.message) <= 1024
    assert outcome.message.endswith("and 197 more")


async def test_it_changes_nothing() -> None:
    source, what = ExternalSource(), seen({"roles": {"web": {"replicas": 9}}})
    deployed = await source.deploy(what, DeploymentIntent(id="request-1", reason="wanted"))
    assert isinstance(deployed, Skipped)
    assert deployed.reason == "ExternallyManaged"
    assert await source.teardown(what) == Unchanged()
    assert await source.reconcile(seen({})) == Unchanged()


@pytest.mark.parametrize(
    "role",
    [
        {"replicas": -1},
        {"replicas": 10_001},
        {"replicas": True},
        {"replicas": "2"},
        {"replicas": 1.5},
        {"image": ""},
        {"image": "Nginx"},
        {"image": "a" * 513},
        {"image": 7},
        {"ports": [0]},
        {"ports": [65536]},
        {"ports": ["80"]},
        {"ports": [1] * 65},
        {"ports": 80},
        {"replica": 1},
        None,
    ],
)
def test_what_cannot_be_meant_is_refused(role: object) -> None:
    with pytest.raises(ValidationError):
        ExternalConfig.model_validate({"roles": {"web": role}})


@pytest.mark.parametrize("roles", [{"w" * 256: {}}, {str(number): {} for number in range(257)}, [], None])
def test_roles_are_bounded(roles: object) -> None:
    with pytest.raises(ValidationError):
        ExternalConfig.model_validate({"roles": roles})


@pytest.mark.parametrize("order", [1, -1])
def test_differences_of_one_role_are_told_in_an_order_of_their_own(order: int) -> None:
    containers = [container(image="nginx:1", port=1), container(image="nginx:2", port=2)][::order]
    assert found({"web": {"image": "nginx:3", "ports": [3]}}, *containers) == (
        "role web: the image of 1 container is nginx:1, expected nginx:3",
        "role web: the image of 1 container is nginx:2, expected nginx:3",
        "role web: the lowest port of 1 container is 1, expected 3",
        "role web: the lowest port of 1 container is 2, expected 3",
    )


ROLES = st.sampled_from(["", "web", "db", "web worker"]) | st.text(max_size=10)
IMAGES = st.sampled_from(["nginx", "nginx:1.27", "localhost:5000/a/b:1", DIGEST, f"nginx@{DIGEST}", f"nginx:1@{DIGEST}"])
STATES = st.sampled_from(["running", "running", "stopped", "created", "missing"])


@st.composite
def scenes(draw: st.DrawFn) -> list[Container]:
    """Containers, those of one role from one image and with one port."""
    scene = []
    for role in draw(st.lists(ROLES, max_size=4, unique=True)):
        image, port = draw(IMAGES), draw(st.integers(0, 65535))
        scene += [container(role, image=image, state=state, port=port) for state in draw(st.lists(STATES, max_size=4))]
    return scene


def expected_of(scene: list[Container]) -> dict[str, Any]:
    """What somebody would write down who looks at the containers."""
    return {
        each.role: {
            "replicas": sum(it.state == "running" for it in scene if it.role == each.role),
            "image": each.image,
            "ports": [each.port] if each.port else [],
        }
        for each in scene
    }


@given(scenes(), st.randoms())
def test_an_expectation_made_from_what_is_seen_never_drifts_whatever_the_order(scene: list[Container], random: Any) -> None:
    expected = expected_of(scene)
    random.shuffle(scene)
    assert found(expected, *scene) == ()


@given(scenes(), ROLES, STATES)
def test_one_container_more_of_an_expected_role_is_seen(scene: list[Container], role: str, state: str) -> None:
    more = [*scene, container(role, image="another:1", state=state, port=1)]
    differs = role in expected_of(scene) and state != "missing"
    assert bool(found(expected_of(scene), *more)) is differs


@given(st.text(max_size=300), st.text(max_size=600))
def test_whatever_a_role_or_an_image_is_called_one_line_comes_of_it(role: str, image: str) -> None:
    for sentence in found({role[:255]: {"image": "nginx"}}, container(role[:255], image=image)):
        assert sentence.isprintable()
        assert len(sentence) < 1000
