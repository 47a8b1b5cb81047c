"""The commands of docs/alerts.md, as they stand there, in a cluster where the operator is installed; but for `logs`, which takes a node."""

import shlex

from tests.alerts.pages import ALERTS, commands
from tests.operator.installation import Installation
from tests.operator.replicas import installation

__all__ = ["installation"]


def test_what_is_to_be_looked_at_with_kubectl_can_be(installation: Installation) -> None:
    asked = [words[1:] for words in commands(ALERTS) if words[0] == "kubectl" and "logs" not in words]
    assert asked
    for words in asked:
        if words[-2:] == ["lease", "tinyforge"]:
            continue  # it is there once somebody leads
        done = installation.cluster.kubectl(*words)
        assert done.returncode == 0, shlex.join(words)
        assert "can-i" not in words or done.stdout == "yes\n", shlex.join(words)
