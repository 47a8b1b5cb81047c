"""Users that tests need for a reason of their own; those of the operator come from its manifests."""

from pathlib import Path

from tests.servers.cluster import Cluster

WORKLOADS = "/apis/tinyforge.dev/v1alpha1/workloads"
READER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [tinyforge.dev], resources: [workloads], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
"""

ELECTOR = """
apiVersion: v1
kind: ServiceAccount
metadata: {{name: elector, namespace: {0}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: elector, namespace: {0}}}
rules:
- {{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}}
- {{apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [tinyforge], verbs: [get, watch, update]}}
- {{apiGroups: [""], resources: [namespaces], resourceNames: [{0}], verbs: [get]}}
- {{apiGroups: [events.k8s.io], resources: [events], verbs: [create]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: elector, namespace: {0}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: elector}}
subjects: [{{kind: ServiceAccount, name: elector, namespace: {0}}}]
"""


def elector_in(cluster: Cluster, namespace: str) -> Path:
    """Return the kubeconfig of a service account that may do with the Lease `tinyforge` what the election does, and nothing else."""
    cluster.apply(ELECTOR.format(namespace))
    return cluster.control_plane.kubeconfig_for(f"{namespace}/elector")


def reader(cluster: Cluster) -> Path:
    """Return the kubeconfig of a service account that may read workloads, and nothing else."""
    cluster.apply(READER)
    return cluster.control_plane.kubeconfig_for("default/reader")
