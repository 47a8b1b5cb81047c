"""The smallest objects that are valid, to be changed in one place by a test."""

from typing import Any

from tinyforge.objects.docker_host import DockerHost
from tinyforge.objects.workload import Workload

Document = dict[str, Any]


def docker_host(name: str = "local", **spec: object) -> Document:
    return {
        "apiVersion": "tinyforge.dev/v1alpha1",
        "kind": "DockerHost",
        "metadata": {"name": name},
        "spec": {"endpoint": "unix:///var/run/docker.sock", **spec},
    }


def workload(name: str = "web", *, namespace: str = "default", **spec: object) -> Document:
    return {
        "apiVersion": "tinyforge.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"kind": "project", "host": "local", **spec},
    }


def read_host(document: Document) -> DockerHost:
    return DockerHost.model_validate(document)


def read_workload(document: Document) -> Workload:
    return Workload.model_validate(document)
