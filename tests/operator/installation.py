"""What `kubectl apply -k manifests/install` puts into a cluster; and its pod, run here, for the tests' control plane has no nodes."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.controllers import Controller, environment_of_a_user, tinyforge
from tests.servers.cluster import Cluster
from tests.servers.kubernetes import ROOT

FOLDER = ROOT / "manifests/install"
NAMESPACE = "tinyforge"
DATABASE_SECRET = "tinyforge-database"
AT_ONCE = {"TINYFORGE_INTERVAL": "300ms", "TINYFORGE_HTTP_ADDRESS": "127.0.0.1:0"}
"""Beside others on one machine, and in a hurry."""

FIELDS = {"metadata.uid": "8f14e45f-ceea-467f-a0e6-7b3f1c6a0d11", "metadata.namespace": NAMESPACE}
"""What a kubelet knows of the pod."""

OF_A_PERSON = frozenset({"HOME", "KUBECONFIG", "LNAME", "LOGNAME", "USER", "USERNAME"})
"""What a shell sets, and a kubelet does not."""

Object = dict[str, Any]

# A uid that has no name, a file system that is read-only but for one folder, and no capability but to read what these tests wrote.
CONFINED = """
mkdir "$1" && mount -t tmpfs none "$1" && mount -o remount,ro,bind / && export TMPDIR="$1" && shift
exec setpriv --pdeathsig KILL --reuid 10001 --regid 10001 --clear-groups --no-new-privs \\
    --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search "$@"
"""


def confined(folder: Path) -> list[str]:
    """The front of a command that runs as the pod does, with a new folder as its /tmp."""
    return ["unshare", "--mount", "sh", "-ec", CONFINED, "sh", str(folder)]


class Installation:
    """The operator's objects in a cluster, as they were applied."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.applied = self.apply()
        self.kubeconfig = cluster.control_plane.kubeconfig_for(f"{NAMESPACE}/tinyforge")
        """Its service account's."""

    def apply(self, *options: str) -> dict[str, str]:
        """Apply the folder, and return what kubectl says became of each object."""
        printed = self.cluster.kubectl("apply", "-k", FOLDER, *options).stdout
        return dict(line.split(" ", 1) for line in printed.splitlines())

    def remove(self) -> None:
        """Take out what is in no namespace; the definitions stay, for the next test."""
        self.cluster.kubectl("delete", "clusterrole,clusterrolebinding", "tinyforge", "--ignore-not-found")

    def hold(self, name: str, content: Mapping[str, bytes], namespace: str = NAMESPACE) -> None:
        """Make a Secret hold this."""
        data = {key: b64encode(value).decode() for key, value in content.items()}
        self.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data})

    def pod(self) -> Object:
        """The pod that the Deployment asks for."""
        template = self.cluster.get("Deployment", "tinyforge", NAMESPACE)["spec"]["template"]
        return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"name": "tinyforge", "namespace": NAMESPACE}}

    def start(self, database_url: str, *, kubeconfig: Path | None = None, front: Sequence[str] = ()) -> Controller:
        """Do what a kubelet does with the pod: run its init containers, start its container. Return that when it leads.

        `front` is a command that becomes the program.
        """
        self.initialise(database_url)
        controller = self.run(kubeconfig=kubeconfig, front=front)
        controller.says("leads with epoch")
        return controller

    def initialise(self, database_url: str) -> None:
        """Make the database's Secret, and run the pod's init containers."""
        self.hold(DATABASE_SECRET, {"url": database_url.encode()})
        for container in self.pod()["spec"]["initContainers"]:
            done = tinyforge(*arguments(container), environment=self._environment(container))
            assert done.returncode == 0, done.stderr

    def run(
        self, *options: str, kubeconfig: Path | None = None, front: Sequence[str] = (), settings: Mapping[str, str] | None = None
    ) -> Controller:
        """Start the pod's container, with more options and settings than it has by the manifests; kill it in the end."""
        (container,) = self.pod()["spec"]["containers"]
        verb, *others = arguments(container)
        environment = self._environment(container, KUBECONFIG=str(kubeconfig or self.kubeconfig), **(AT_ONCE | dict(settings or {})))
        return Controller(*others, *options, environment=environment, verb=verb, front=front)

    def _environment(self, container: Object, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in environment_of_a_user().items() if name not in OF_A_PERSON}
        return inherited | {it["name"]: self._value(it) for it in container["env"]} | more

    def _value(self, variable: Object) -> str:
        if "value" in variable:
            return str(variable["value"])
        source = variable["valueFrom"]
        if "fieldRef" in source:
            return FIELDS[source["fieldRef"]["fieldPath"]]
        reference = source["secretKeyRef"]
        return b64decode(self.cluster.get("Secret", reference["name"], NAMESPACE)["data"][reference["key"]]).decode()


def arguments(container: Object) -> list[str]:
    """What a container of the pod tells the program."""
    program, *rest = container["command"]
    assert program == "tinyforge"
    return [*rest, *container.get("args", [])]
