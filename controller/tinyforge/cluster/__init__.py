"""The Kubernetes API: lists of our objects, their statuses, Secrets of the operator's own namespace, Events, and the Lease of the election.

The operator calls it from the main event loop, the election from a second one too. Every call ends within 5 seconds (those about the Lease
within the time that they are given), and what goes wrong is an error of `tinyforge.cluster.errors`. Watching is kopf's, but for the Lease.

    access → cluster, leases → client → requests → the API server
      └→ kubeconfig  └→ listing, events, answers, objects; faults and wire below requests

lightkube finds the cluster and logs in: kubeconfig or service account, TLS, commands that fetch a token, and a token that is read again
once it is refused. The requests are ours, over the HTTP client that it makes. Its own `patch` sends JSON where the API server reads YAML,
which changes some texts and refuses others (`wire`); it has no place for a User-Agent and no limit for a call as a whole; and an error
without a Content-Type ends it with a KeyError.
"""

from tinyforge.cluster.access import Access, find_access
from tinyforge.cluster.cluster import Cluster, connect
from tinyforge.cluster.errors import ClusterRefused, ClusterUnavailable, NoCluster, ObjectMoved
from tinyforge.cluster.events import Event, EventType
from tinyforge.cluster.leases import ClusterLeases
from tinyforge.cluster.objects import ObjectKind, ObjectList, ObjectRef, ObjectState

__all__ = [
    "Access",
    "Cluster",
    "ClusterLeases",
    "ClusterRefused",
    "ClusterUnavailable",
    "Event",
    "EventType",
    "NoCluster",
    "ObjectKind",
    "ObjectList",
    "ObjectMoved",
    "ObjectRef",
    "ObjectState",
    "connect",
    "find_access",
]
