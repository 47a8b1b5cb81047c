"""What a verdict means, in a sentence: for `explain` and for warnings.

Sentences name labels by their key and repeat no value, which is anybody's text and may be a secret (fault 44).
"""

from tinyforge.domain.contest import Displaced
from tinyforge.domain.matching import ROLE_BYTES, Claim, Reason, Rejection
from tinyforge.domain.workloads import Kind

_SENTENCES = {
    Reason.FOREIGN: "its label tinyforge.installation names another installation: this index does not look after it",
    Reason.NOT_MANAGED: (
        "it has none of the labels that make a container managed: tinyforge.workload.id, tinyforge.static-site, or a"
        " com.docker.compose.project that starts with tinyforge-"
    ),
    Reason.OTHER_HOST: "its label tinyforge.workload.id names a workload that is declared for another host",
    Reason.UNKNOWN_WORKLOAD: "its label tinyforge.workload.id names no workload that is declared for this host",
    Reason.UNKNOWN_REF: "its label tinyforge.static-site is the ref of no site that is declared for this host",
    Reason.UNKNOWN_PROJECT: "its label com.docker.compose.project is the composeProject of no stack that is declared for this host",
    Reason.NO_ROW: "no row carries its id: the rows of a project are made by its deployer, and a pass invents none",
    Reason.ROLE_UNUSABLE: f"its role is not printable text of at most {ROLE_BYTES} bytes of UTF-8",
    Reason.UNSTORABLE: "its id, image or state holds U+0000, or its id is no id: no row can hold that",
}


def explain_claim(claim: Claim, row: str) -> str:
    """Return why a container holds `row`."""
    if claim.rule == "M8":
        found = "its label tinyforge.workload.id names the workload"
    elif claim.rule == "M6":
        found = "its label tinyforge.static-site is the site's ref"
    else:
        found = "its label com.docker.compose.project is the stack's composeProject"
    if row != claim.rows[-1] or claim.workload.kind is Kind.PROJECT:
        return f"{found}, and the row carries the container's id"
    return found


def explain_rejection(rejection: Rejection) -> str:
    """Return why a container got no row."""
    if rejection.reason is Reason.KIND_CONFLICT and rejection.workload is not None:
        return f"its label tinyforge.workload.kind names another kind than the workload's, which is {rejection.workload.kind}"
    return _SENTENCES[rejection.reason]


def explain_displaced(displaced: Displaced) -> str:
    """Return which container holds the row instead, and why that one."""
    by = displaced.by.container
    if by.state == "running" and displaced.claim.container.state != "running":
        why = "which runs"
    elif by.created != displaced.claim.container.created:
        why = "which is younger"
    else:
        why = "whose id is greater"
    return f"row {displaced.claim.rows[-1]} is held by container {by.id[:12]}, {why}"
