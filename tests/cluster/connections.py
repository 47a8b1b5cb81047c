"""Connections to the tests' API server, as the operator makes them, and the user it is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Access, Cluster, connect
from tinyforge.cluster.kubeconfig import read_kubeconfig

CONTROLLER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: controller}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: controller}
rules:
- {apiGroups: [tinyforge.dev], resources: [workloads, dockerhosts], verbs: [get, list]}
- {apiGroups: [tinyforge.dev], resources: [workloads/status, dockerhosts/status], verbs: [patch]}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: controller}
subjects: [{kind: ServiceAccount, name: controller, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: controller}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [vps1, absent], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: controller}
subjects: [{kind: ServiceAccount, name: controller, namespace: default}]
"""


def controller(cluster: RealCluster) -> Path:
    """Return the kubeconfig of a service account that may do what the operator does with our objects, and read two Secrets."""
    cluster.apply(CONTROLLER)
    return cluster.control_plane.kubeconfig_for("default/controller")


@asynccontextmanager
async def connection(kubeconfig: Path, *, seconds: float = 5.0, namespace: str = "default") -> AsyncIterator[Cluster]:
    """A connection as whoever a kubeconfig says."""
    access = Access(config=read_kubeconfig(str(kubeconfig)), namespace=namespace, found_by="the test")
    connected = connect(access, instance="controller-0", seconds=seconds)
    try:
        yield connected
    finally:
        await connected.close()
