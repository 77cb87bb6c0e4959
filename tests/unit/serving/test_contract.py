"""What an instance is told (Knative reference §4.1, §4.2)."""

from base64 import b64encode

import pytest

from knlite.errors import InstanceFailed
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import (
    ConfigMapVolume,
    Container,
    EmptyDirVolume,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    KeySelector,
    ObjectSelector,
    Resources,
    Volume,
    VolumeMount,
)
from knlite.kinds.serving.revision import Revision, RevisionSpec
from knlite.serving.contract import Contract, contract, expanded, require_supported
from knlite.serving.vantage import ByHost, ByPath, Vantage
from tests.unit.fake_view import FakeView

LABELS = {"serving.knative.dev/service": "web", "serving.knative.dev/configuration": "web"}
PATHS = ByPath("http://127.0.0.1:8080")


def made(container: Container, *objects: ConfigMap | Secret, vantage: Vantage = PATHS) -> Contract:
    meta = ObjectMeta(name="web-00001", namespace="default", labels=LABELS)
    revision = Revision(metadata=meta, spec=RevisionSpec(containers=(container,)))
    return contract(revision, container, FakeView(*objects), vantage)


def config_map(**data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="c", namespace="default"), data=data)


def secret(**data: str) -> Secret:
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    return Secret(metadata=ObjectMeta(name="s", namespace="default"), data=encoded)


def from_config(key: str, *, optional: bool | None = None) -> EnvVar:
    source = EnvVarSource(config_map_key_ref=KeySelector(name="c", key=key, optional=optional))
    return EnvVar(name="X", value_from=source)


def test_the_names_of_the_contract_win_over_the_authors() -> None:
    env = made(Container(env=(EnvVar(name="K_SERVICE", value="mine"),))).env
    assert (env["K_SERVICE"], env["K_CONFIGURATION"], env["K_REVISION"]) == (
        "web",
        "web",
        "web-00001",
    )


@pytest.mark.parametrize(
    ("vantage", "sink"),
    [
        (PATHS, "http://127.0.0.1:8080/ns/default/services/process"),
        (ByHost(8080), "http://process.default.svc.cluster.local:8080"),
        (ByHost(80), "http://process.default.svc.cluster.local"),
    ],
)
def test_the_sink_is_written_as_the_instance_reaches_it(vantage: Vantage, sink: str) -> None:
    url = "http://process.default.svc.cluster.local"
    env = made(Container(env=(EnvVar(name="K_SINK", value=url),)), vantage=vantage).env
    assert env["K_SINK"] == sink


def test_variables_refer_to_earlier_ones() -> None:
    env = made(
        Container(
            env=(
                EnvVar(name="A", value="1"),
                EnvVar(name="B", value="$(A)2 $(LATER) $$(A)"),
                EnvVar(name="LATER", value="x"),
            )
        )
    ).env
    assert env["B"] == "12 $(LATER) $(A)"


@pytest.mark.parametrize(
    ("text", "result"), [("$(A)", "1"), ("$$", "$"), ("$(NO)", "$(NO)"), ("$A", "$A"), ("$(", "$(")]
)
def test_expansion_as_in_kubernetes(text: str, result: str) -> None:
    assert expanded(text, {"A": "1"}) == result


def test_whole_config_maps_and_secrets_come_before_single_variables() -> None:
    container = Container(
        env_from=(
            EnvFromSource(prefix="P_", config_map_ref=ObjectSelector(name="c")),
            EnvFromSource(secret_ref=ObjectSelector(name="s")),
        ),
        env=(EnvVar(name="B", value="own"),),
    )
    env = made(container, config_map(A="1"), secret(B="hidden", C="2")).env
    assert (env["P_A"], env["B"], env["C"]) == ("1", "own", "2")


def test_one_key_of_a_config_map() -> None:
    assert made(Container(env=(from_config("k"),)), config_map(k="v")).env["X"] == "v"
    assert "X" not in made(Container(env=(from_config("k", optional=True),))).env


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ((), 'configmap "c" not found'),
        ((config_map(other="v"),), "couldn't find key k in ConfigMap default/c"),
    ],
)
def test_what_is_missing_is_named(objects: tuple[ConfigMap, ...], message: str) -> None:
    with pytest.raises(InstanceFailed) as failed:
        made(Container(env=(from_config("k"),)), *objects)
    assert failed.value.reason == "CreateContainerConfigError"
    assert failed.value.what == message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param(RevisionSpec(containers=(Container(), Container())), "2 containers", id="two"),
        pytest.param(
            RevisionSpec(containers=(Container(),), init_containers=(Container(),)),
            "init containers",
            id="init",
        ),
        pytest.param(
            RevisionSpec(
                containers=(Container(volume_mounts=(VolumeMount(name="v"),)),),
                volumes=(Volume(name="v", config_map=ConfigMapVolume(name="c")),),
            ),
            "the mounted volume v",
            id="volume",
        ),
    ],
)
def test_what_would_only_half_run_is_refused(spec: RevisionSpec, words: str) -> None:
    with pytest.raises(InstanceFailed, match=words):
        require_supported(Revision(spec=spec), spec.containers[0])


def test_an_empty_folder_that_is_mounted_is_no_reason_to_refuse() -> None:
    container = Container(volume_mounts=(VolumeMount(name="v"),))
    volumes = (Volume(name="v", empty_dir=EmptyDirVolume()),)
    spec = RevisionSpec(containers=(container,), volumes=volumes)
    require_supported(Revision(spec=spec), container)


def test_limits_are_numbers() -> None:
    found = made(Container(resources=Resources(limits={"cpu": "250m", "memory": "64Mi"})))
    assert (found.cpus, found.memory) == (0.25, 64 * 1024 * 1024)
    assert made(Container()).port == 8080
