"""Asking the API server whether it would take an object, as kubectl does with --dry-run=server."""

from tests.objects.documents import Document
from tests.servers.cluster import Cluster


def taken(cluster: Cluster, document: Document) -> Document:
    """Return the object as the API server would store it.

    Raises:
        Refused: It would not.
    """
    path = cluster.api.resource(document["kind"]).path(namespace=document["metadata"].get("namespace", "default"))
    stored: Document = cluster.api.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", document)
    return stored
