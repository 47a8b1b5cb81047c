"""A problem is told with the line that has to be changed."""

from tests.standalone.manifests.folder import HOST


def test_each_problem_names_file_line_field_value_and_what_is_allowed(folder):
    folder.write(
        "web.yaml",
        """\
        apiVersion: tinyforge.dev/v1alpha1
        kind: Workload
        metadata:
          name: Web
        spec:
          kind: sitee

          hots: local
          faces:
            - domain: app.example.com
              port: 70000
            - {domain: "a b",
               port: 0120}
          trigger: {kind: manual, config: {a: {b: ["x\\0y"]}}}
        """,
    )
    assert folder.problems() == [
        "manifests/web.yaml:4: metadata.name: \"Web\" — allowed: lower-case letters, digits and '-', with a letter or digit at both ends",
        "manifests/web.yaml:5: spec.host: is missing: the DockerHost it runs on",
        'manifests/web.yaml:6: spec.kind: "sitee" — allowed: project, site or stack',
        "manifests/web.yaml:8: spec.hots: no such field; did you mean host?",
        "manifests/web.yaml:11: spec.faces[0].port: 70000 — must be at most 65535",
        'manifests/web.yaml:12: spec.faces[1].domain: "a b" — allowed: a domain in lower case, as app.example.com or *.example.com',
        "manifests/web.yaml:14: spec.trigger.config.a.b[0]: holds the character U+0000, which PostgreSQL cannot store",
    ]


def test_a_value_is_told_as_it_was_written(folder):
    folder.write("a.yaml", HOST.replace("name: local", "name: 0123").replace("unix:///var/run/docker.sock", "unix:///a, suspend: NULL"))
    assert folder.problems() == [
        "manifests/a.yaml:3: metadata.name: 0123 — must be text; put it in quotes",
        "manifests/a.yaml:4: spec.suspend: has no value; give it one",
    ]


def test_what_is_missing_is_told_with_the_line_it_is_missing_from(folder):
    folder.write("a.yaml", "\n\nkind: DockerHost\napiVersion: tinyforge.dev/v1alpha1\nmetadata:\n  labels: {}\nspec:\n  suspend: true\n")
    assert folder.problems() == [
        "manifests/a.yaml:5: metadata.name: is missing: the object's name",
        "manifests/a.yaml:7: spec.endpoint: is missing: where the engine answers: unix:///path, tcp://host:port (with TLS) or "
        "ssh://user@host",
    ]


def test_a_fault_in_what_an_alias_stands_for_is_told_where_it_was_written(folder):
    folder.write(
        "a.yaml",
        HOST.replace("{name: local}", "{name: local, labels: &spec\n  {endpoint: 7}}").replace(
            "{endpoint: unix:///var/run/docker.sock}", "*spec"
        ),
    )
    assert folder.problems() == ["manifests/a.yaml:4: spec.endpoint: 7 — must be text; put it in quotes"]


def test_lines_count_on_over_documents_and_with_windows_line_ends(folder):
    folder.write("a.yaml", "﻿---\r\n# one\r\n--- # two\r\n" + HOST.replace("local", "Local").replace("\n", "\r\n"))
    assert folder.problems()[0].startswith("manifests/a.yaml:6: metadata.name: ")


def test_a_password_in_an_endpoint_and_the_value_of_an_unknown_field_are_never_told(folder):
    folder.write("a.yaml", HOST.replace("unix:///var/run/docker.sock", "ssh://me:hunter2@example.com, password: hunter2, ssh: hunter2x: y"))
    folder.write("b.yaml", HOST.replace("unix:///var/run/docker.sock", "tcp://me:hunter2@" + "example" * 99))
    folder.write("c.yaml", HOST.replace("unix:///var/run/docker.sock", "ssh://me:hunter2@example.com, password: hunter2"))
    told = folder.problems()
    assert len(told) >= 4
    assert "hunter2" not in "".join(told)


def test_fault_36_a_hostile_file_name_and_value_print_on_one_line(folder):
    folder.write(
        "a\n\x1b[31m\udcff.yaml".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"),
        HOST.replace("{name: local}", '{name: "\\e[31m\\u202e"}'),
    )
    (told,) = folder.problems()
    assert told.isprintable()
    assert told.startswith(r"manifests/a\n\x1b[31m\udcff.yaml:3: metadata.name: ")
