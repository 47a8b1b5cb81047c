"""Fault 38: a file that would cost without end is given up at a bound, and the others are read."""

import pytest

from tests.standalone.manifests.folder import HOST, workload


def laughs(levels):
    return "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, levels)
    )


SPEC = """\
apiVersion: tinyforge.dev/v1alpha1
kind: Workload
metadata: {{name: x, labels: {labels}}}
spec: {{kind: project, host: h, source: {{kind: a, config: {config}}}}}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(laughs(9), "more than 100,000 values, with what its aliases stand for", id="a billion laughs"),
        pytest.param("[" * 4_000_000, "nested more than 64 levels deep", id="four million brackets"),
        pytest.param("- " * 2_000_000, "nested more than 64 levels deep", id="two million dashes"),
        pytest.param("{a: " * 1_000_000, "nested more than 64 levels deep", id="a million braces"),
        pytest.param("? " * 2_000_000, "the name of a field must be text", id="two million keys of keys"),
        pytest.param(
            "a0: &a0 [[[[[[[[x]]]]]]]]\n" + "".join(f"a{n}: &a{n} [[[[*a{n - 1}]]]]\n" for n in range(1, 20)),
            "nested more than 64",
            id="deep aliases",
        ),
        pytest.param("[" + "1," * 1_900_000 + "]", "more than 100,000 values", id="a long list"),
        pytest.param("a: " + "9" * 4_000_000, "at most 64 digits", id="four million digits"),
        pytest.param("---\n" * 1_000_000, "more than 10,000 documents", id="a million documents"),
        pytest.param("a: &a [" + "1," * 900 + "]\nb: [" + "*a," * 90 + "]\n---\n" * 1, "kind: is missing", id="as many as are allowed"),
        pytest.param(
            ("a: &a [" + "1," * 900 + "]\nb: [" + "*a," * 90 + "]\n---\n") * 100,
            "the file has more than 1,000,000 values",
            id="many of them",
        ),
        pytest.param(
            SPEC.format(labels='{b: &b "' + "x" * 2_000_000 + '"}', config="{a: [" + "*b," * 90_000 + "]}"),
            "longer than 64 KiB",
            id="a long text, often",
        ),
        pytest.param("kind: &b [" + ('"' + "x" * 30 + '",') * 90_000 + "]", "kind: must be text", id="a long kind"),
        pytest.param("a" * 5_000_000, "is longer than 4 MiB; split it", id="a long file"),
        pytest.param(
            HOST.replace("spec: {", "spec: {" + "".join(f"k{n}: 1, " for n in range(40_000))),
            "39980 more faults of this object",
            id="many fields",
        ),
    ],
)
def test_fault_38_a_yaml_bomb_is_given_up_at_a_bound_and_the_next_file_is_read(folder, text, told):
    folder.write("bomb.yaml", text)
    folder.write("web.yaml", workload("web"))
    problems = folder.problems()
    assert any(told in problem for problem in problems), problems[:3]
    assert folder.workloads() == ["default/web"]


def test_fault_38_ten_thousand_workloads_in_a_file_are_read(folder):
    folder.write("many.yaml", "---\n".join(workload(f"web{number}") for number in range(10_000)))
    assert len(folder.workloads()) == 10_000
