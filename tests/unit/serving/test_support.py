"""What cannot be had is refused by field; what has no effect is named (Knative reference §1.5)."""

import pytest
from msgspec.structs import replace

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import (
    Capabilities,
    ConfigMapVolume,
    Container,
    EmptyDirVolume,
    EnvVar,
    PodSpec,
    Resources,
    SecurityContext,
    Volume,
    VolumeMount,
)
from knlite.serving.support import require_supported, without_effect
from knlite.serving.workload import RuntimeName

MOUNT = (VolumeMount(name="v", mount_path="/data"),)


def with_volume(volume: Volume) -> PodSpec:
    return PodSpec(containers=(Container(volume_mounts=MOUNT),), volumes=(volume,))


def as_user(user: int) -> PodSpec:
    return PodSpec(containers=(Container(security_context=SecurityContext(run_as_user=user)),))


CLAIM = with_volume(Volume(name="v", persistent_volume_claim={"claimName": "c"}))
DRIVER = with_volume(Volume(name="v", csi={"driver": "d"}))
CONFIG = with_volume(Volume(name="v", config_map=ConfigMapVolume(name="c")))
TWO = PodSpec(containers=(Container(), Container()))
INIT = PodSpec(containers=(Container(),), init_containers=(Container(),))
NODE = PodSpec(containers=(Container(),), host_network=True)


@pytest.mark.parametrize(
    ("spec", "runtime", "words"),
    [
        pytest.param(DRIVER, "docker", r"volumes\[0\]\.csi", id="volume of a driver"),
        pytest.param(CLAIM, "process", "the volume v at /data", id="claim of a process"),
        pytest.param(NODE, "docker", "hostNetwork", id="host network"),
        pytest.param(CONFIG, "process", "the volume v at /data", id="volume of a process"),
        pytest.param(TWO, "process", "2 containers", id="two processes"),
        pytest.param(INIT, "process", "init containers", id="init of a process"),
        pytest.param(as_user(7), "process", "the user id 7", id="user of a process"),
    ],
)
def test_what_would_only_half_run_is_refused(
    spec: PodSpec, runtime: RuntimeName, words: str
) -> None:
    with pytest.raises(InstanceFailed, match=words) as failed:
        require_supported(spec, runtime, uid=1000)
    assert failed.value.reason == "UnsupportedPod"
    assert failed.value.fix


def test_what_no_cluster_would_take_is_not_started_here() -> None:
    spec = PodSpec(containers=(Container(name="My_App", image="x"),))
    with pytest.raises(InstanceFailed) as refused:
        require_supported(spec, "docker", None)
    assert refused.value.reason == "FailedCreate"
    assert 'spec.containers[0].name: Invalid value: "My_App"' in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "runtime", "uid"),
    [
        pytest.param(CONFIG, "docker", 1000, id="volume"),
        pytest.param(CLAIM, "docker", 1000, id="claim"),
        pytest.param(TWO, "docker", 1000, id="sidecar"),
        pytest.param(INIT, "docker", 1000, id="init"),
        pytest.param(as_user(7), "docker", 1000, id="user"),
        pytest.param(as_user(7), "process", 7, id="this user"),
        pytest.param(as_user(7), "process", None, id="any user, as root"),
    ],
)
def test_what_can_be_had_is_not_refused(
    spec: PodSpec, runtime: RuntimeName, uid: int | None
) -> None:
    require_supported(spec, runtime, uid)


def test_what_does_nothing_is_named() -> None:
    container = Container(
        working_dir="/app",
        resources=Resources(limits={"memory": "1Gi"}),
        security_context=SecurityContext(capabilities=Capabilities(drop=("ALL",))),
        volume_mounts=MOUNT,
    )
    volume = Volume(name="v", empty_dir=EmptyDirVolume())
    spec = PodSpec(
        containers=(container,),
        volumes=(volume,),
        service_account_name="a",
        node_selector={"x": "y"},
    )
    assert without_effect(spec, "docker") == ("nodeSelector", "serviceAccountName")
    assert without_effect(spec, "process") == (
        "nodeSelector",
        "serviceAccountName",
        "resources.limits",
        "workingDir",
        "emptyDir at /data",
        "securityContext.capabilities",
    )
    assert without_effect(PodSpec(containers=(Container(),)), "process") == ()


def test_a_process_can_have_files_where_a_variable_tells_their_path() -> None:
    told = (EnvVar(name="DATA", value="/data"),)
    volume = Volume(name="v", config_map=ConfigMapVolume(name="c"))
    spec = PodSpec(containers=(Container(volume_mounts=MOUNT, env=told),), volumes=(volume,))
    require_supported(spec, "process", uid=1000)
    claimed = Volume(name="v", persistent_volume_claim={"claimName": "c"})
    with pytest.raises(InstanceFailed, match="the volume v at /data"):
        require_supported(replace(spec, volumes=(claimed,)), "process", uid=1000)
