"""What fits on this machine (Knative reference §1.11, ``Unschedulable``)."""

import pytest

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import Container, PodSpec, Resources
from knlite.serving.scheduling import Capacity, require_schedulable

CAPACITY = Capacity(cpus=2.0, memory=4 * 2**30)


def asking(**requests: str) -> Container:
    return Container(resources=Resources(requests=requests))


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(PodSpec(containers=(Container(),)), id="nothing"),
        pytest.param(PodSpec(containers=(asking(cpu="2", memory="4Gi"),)), id="all of it"),
        pytest.param(
            PodSpec(containers=(asking(cpu="1500m"),), init_containers=(asking(cpu="2"),)),
            id="one after the other",
        ),
    ],
)
def test_what_the_machine_has_can_be_asked_for(spec: PodSpec) -> None:
    require_schedulable(spec, CAPACITY)


@pytest.mark.parametrize(
    ("spec", "lacking"),
    [
        pytest.param(PodSpec(containers=(asking(cpu="50"),)), "1 Insufficient cpu", id="cpu"),
        pytest.param(
            PodSpec(containers=(asking(cpu="1.5"), asking(cpu="501m"))),
            "1 Insufficient cpu",
            id="together",
        ),
        pytest.param(
            PodSpec(containers=(asking(cpu="3", memory="1Ti"),)),
            "1 Insufficient cpu, 1 Insufficient memory",
            id="both",
        ),
        pytest.param(
            PodSpec(containers=(Container(resources=Resources(limits={"memory": "5Gi"})),)),
            "1 Insufficient memory",
            id="a limit is a request",
        ),
    ],
)
def test_more_than_that_is_unschedulable(spec: PodSpec, lacking: str) -> None:
    with pytest.raises(InstanceFailed) as raised:
        require_schedulable(spec, CAPACITY)
    assert raised.value.reason == "Unschedulable"
    assert raised.value.what == f"0/1 nodes are available: {lacking}."
    assert raised.value.cause == "this machine has 2 cpus and 4096Mi of memory"
