"""All objects of a kind as they were at one moment, a page at a time."""

from tinyforge.cluster.answers import Page
from tinyforge.cluster.errors import ClusterRefused, ClusterUnavailable
from tinyforge.cluster.objects import ObjectList, RawObject
from tinyforge.cluster.requests import Requests

PAGE = 200
"""How many objects come in one answer: a Workload's configuration may have 128 KiB, most have one or two."""

_TRIES = 3
_GONE = 410


async def list_all(requests: Requests, path: str, *, page: int = PAGE) -> ObjectList:
    """Return all objects at a path. The API server forgets how things were after minutes, and says 410: then the list begins anew.

    Raises:
        ClusterUnavailable: the API server gave no usable answer, or forgot three times.
        ClusterRefused: it said no.
    """
    for _ in range(_TRIES):
        try:
            return await _list_once(requests, path, page)
        except ClusterRefused as error:
            if error.status != _GONE:
                raise
    raise ClusterUnavailable(f"the list of {path} took longer than the API server remembers how things were, {_TRIES} times")


async def _list_once(requests: Requests, path: str, page: int) -> ObjectList:
    objects: list[RawObject] = []
    query = {"limit": str(page)}
    while True:
        answer = await requests.get(path, Page, query=query)
        objects += answer.items
        if not answer.metadata.more:
            return ObjectList(objects=tuple(objects), resource_version=answer.metadata.resource_version)
        query["continue"] = answer.metadata.more
