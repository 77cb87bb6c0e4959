import random
import re

import pytest

from knlite.kinds.names import child_name
from knlite.serving.instancelife import instance_name


@pytest.mark.parametrize("length", [1, 20, 41, 47, 52, 63])
def test_an_instance_is_named_as_a_pod_of_its_deployment(length: int) -> None:
    """As Kubernetes names Pods: §4.4 asks for ``<revision>-deployment`` in the name."""
    revision = ("a" * length)[: length - 6] + "-00001" if length > 6 else "a"
    name = instance_name(revision, random.Random(1))
    assert len(name) <= 63
    assert re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
    assert name.startswith(child_name(revision, "-deployment")[:58])
