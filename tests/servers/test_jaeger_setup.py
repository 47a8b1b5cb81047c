"""scripts/jaeger brings Jaeger along; a stub stands in for Go, and `test_kubernetes_setup` tells how a missing one comes."""

from tests.servers.bare_machine import GO, Project

PROGRAM = ".cache/tinyforge/jaeger-1.62.0/jaeger-all-in-one"


def test_jaeger_is_built_once_and_named_before(project: Project):
    project.stub("go", GO)
    code, printed = project.run("scripts/jaeger")
    assert code == 0, printed
    announced, building, program = printed.splitlines()
    assert announced.startswith(
        "tinyforge: Jaeger 1.62.0, which the tests send traces to, is missing: go build of jaeger-all-in-one, into "
    )
    assert building == "tinyforge: building jaeger-all-in-one"
    assert program == str(project.home / PROGRAM)
    assert project.run("scripts/jaeger") == (0, f"{program}\n")
    assert project.calls.read_text() == "built jaeger-all-in-one.new\n"


def test_jaeger_is_not_built_where_that_is_refused(project: Project):
    project.stub("go", GO)
    code, printed = project.run("scripts/jaeger", TINYFORGE_SETUP="never")
    assert code == 1
    assert "TINYFORGE_SETUP=never: not doing this: go build of jaeger-all-in-one" in printed
    assert not project.calls.exists()
