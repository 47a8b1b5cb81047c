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


def reader(cluster: Cluster) -> Path:
    """Return the kubeconfig of a service account that may read workloads, and nothing else."""
    cluster.apply(READER)
    return cluster.control_plane.kubeconfig_for("default/reader")
