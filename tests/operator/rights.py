"""Rights, in the one way in which the tests write them: `patch workloads.tinyforge.dev/status`."""

import json
import re
from pathlib import Path

from tests.servers.cluster import Cluster

REQUEST = re.compile(
    r"(?P<method>[A-Z]+) /apis?(/(?P<group>[^/?]+\.[^/?]+))?/v[^/?]+(/namespaces/[^/?]+)?"
    r"/(?P<plural>[^/?]+)(/(?P<name>[^/?]+))?(/(?P<subresource>[^/?]+))?(\?(?P<query>.*))?"
)
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def rights_of(cluster: Cluster, kubeconfig: Path, *, namespace: str) -> set[str]:
    """What RBAC lets somebody do in a namespace and outside of all; less what everybody may: ask who they are and what they may do."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    printed = cluster.kubectl(
        "--kubeconfig", kubeconfig, "create", "--validate=false", "--filename=-", "--output=json", text=json.dumps(review)
    ).stdout
    return {
        right(verb, group, resource)
        for rule in json.loads(printed)["status"]["resourceRules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if not resource.startswith("selfsubject")
    }


def right_for(request: str) -> str:
    """The right that a request takes, as `ApiProxy.requests` has it; empty for discovery, which is everybody's."""
    found = REQUEST.fullmatch(request)
    if found is None:
        return ""
    method, query = found["method"], found["query"] or ""
    looking = "get" if found["name"] else "watch" if "watch=true" in query else "list"
    return right(VERBS.get(method, looking), found["group"] or "", "/".join(filter(None, (found["plural"], found["subresource"]))))


def right(verb: str, group: str, resource: str) -> str:
    """A right by its parts; `resource` may have a subresource."""
    plural, slash, subresource = resource.partition("/")
    return f"{verb} {'.'.join(filter(None, (plural, group)))}{slash}{subresource}"
