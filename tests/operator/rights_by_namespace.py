"""An operator's service account that may look after hosts, and after the workloads of some namespaces only."""

from pathlib import Path

from tests.servers.cluster import Cluster

ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: limited}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: limited}
rules:
- {apiGroups: [tinyforge.dev], resources: [dockerhosts], verbs: [get, list, watch, patch]}
- {apiGroups: [tinyforge.dev], resources: [dockerhosts/status], verbs: [patch]}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}
subjects: [{kind: ServiceAccount, name: limited, namespace: default}]
"""
IN_A_NAMESPACE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: limited, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tinyforge}}
subjects: [{{kind: ServiceAccount, name: limited, namespace: default}}]
"""


def limited(cluster: Cluster, namespace: str) -> Path:
    """Return the kubeconfig of such an account for one namespace."""
    cluster.apply(ACCOUNT)
    allow(cluster, namespace)
    return cluster.control_plane.kubeconfig_for("default/limited")


def allow(cluster: Cluster, namespace: str) -> None:
    """Let it look after one more."""
    cluster.apply(IN_A_NAMESPACE.format(namespace=namespace))
