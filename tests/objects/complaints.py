"""What people are told about an object that is refused: the sentences, one a fault."""

import pytest
from pydantic import ValidationError

from tests.objects.documents import Document
from tinyforge.objects.docker_host import DockerHost
from tinyforge.objects.faults import dotted, field_faults
from tinyforge.objects.workload import Workload


def complaints(document: Document) -> list[str]:
    model = {"DockerHost": DockerHost, "Workload": Workload}[document["kind"]]
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    return [
        " ".join(filter(None, (f"{dotted(fault.path)}:", fault.value and f"{fault.value} —", fault.message)))
        for fault in field_faults(caught.value, model)
    ]
