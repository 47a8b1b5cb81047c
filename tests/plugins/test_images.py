"""Image references mean here what they mean to Docker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.sources.images import PATTERN, is_reference, read_image

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64
ANY_TEXT = st.text(alphabet="aA0.:/@-_ü \n", max_size=20) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx:latest"),
        ("team/app", "docker.io/team/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("registry.example.com/app:1", "registry.example.com/app:1"),
        ("registry/app", "docker.io/registry/app:latest"),
        ("registry:5000/app", "registry:5000/app:latest"),
        ("docker.io:5000/app", "docker.io:5000/app:latest"),
        (f"nginx@{A}", f"docker.io/library/nginx@{A}"),
        (f"nginx:1.27@{A}", f"docker.io/library/nginx:1.27@{A}"),
        (A, A),
        ("a" * 64, A),
    ],
)
def test_a_reference_is_written_out_as_docker_does(written: str, meant: str) -> None:
    assert str(read_image(written)) == meant
    assert is_reference(written) or written == "a" * 64


@pytest.mark.parametrize(
    ("seen", "expected", "satisfied"),
    [
        ("nginx", "docker.io/library/nginx:latest", True),
        ("nginx:1.27", "nginx", False),
        ("nginx", "other/nginx", False),
        (f"nginx:1.27@{A}", f"nginx@{A}", True),
        (f"nginx@{A}", f"nginx:1.27@{A}", True),
        (f"nginx:1.27@{A}", f"nginx:1.26@{A}", True),
        (f"nginx@{A}", f"nginx@{B}", False),
        (f"other@{A}", f"nginx@{A}", False),
        (f"nginx:1.27@{A}", "nginx:1.27", True),
        (f"nginx@{A}", "nginx", False),
        (f"nginx@{A}", A, True),
        (A, A, True),
        ("a" * 64, A, True),
        ("nginx", A, False),
        (A, "nginx", False),
        (A, f"nginx@{A}", False),
    ],
)
def test_a_digest_decides_where_one_is_expected_and_a_tag_elsewhere(seen: str, expected: str, satisfied: bool) -> None:
    assert read_image(seen).satisfies(read_image(expected)) is satisfied


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nginx",
        "nginx:",
        "nginx@",
        "nginx@sha256:abc",
        "a b",
        "nginx:1.27\n",
        "https://registry/app",
        "/app",
        "a//b",
        "-a",
        "a-/b",
        "Registry/app",
        "::@0",
        "ü",
    ],
)
def test_what_docker_could_not_read_is_no_reference(text: str) -> None:
    assert not is_reference(text)
    assert str(read_image(text)) == text
    assert not read_image(text).satisfies(read_image("nginx"))


@given(ANY_TEXT | st.builds("{}@{}".format, ANY_TEXT, ANY_TEXT))
def test_reading_what_was_written_out_changes_nothing_more(text: str) -> None:
    image = read_image(text)
    assert read_image(str(image)) == image


@given(st.from_regex(PATTERN, fullmatch=True))
def test_every_reference_satisfies_itself_and_means_the_same_written_out(text: str) -> None:
    image = read_image(text)
    assert image.satisfies(image)
    assert read_image(str(image)).satisfies(image)
    assert image.satisfies(read_image(str(image)))
