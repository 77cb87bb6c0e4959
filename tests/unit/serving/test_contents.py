"""What volumes hold (Knative reference §1.6, §4.4; §7.1 rows 21 to 28)."""

from base64 import b64encode

import pytest

from knlite.errors import InstanceFailed
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import (
    ConfigMapVolume,
    Container,
    EmptyDirVolume,
    EnvVar,
    EnvVarSource,
    KeySelector,
    KeyToPath,
    PodSpec,
    Resources,
    SecretVolume,
    Volume,
    VolumeMount,
)
from knlite.serving.contents import contents, sources
from knlite.serving.downward import Identity
from knlite.serving.volume import Claimed, EmptyDir, File, FileVolume, VolumeContent
from tests.unit.fake_view import FakeView

IDENTITY = Identity(
    namespace="default", name="web-1", labels={"app": "web", "b": 'q"'}, annotations={}
)
CONFIG = ConfigMap(
    metadata=ObjectMeta(name="c", namespace="default"),
    data={"one": "1", "two": "2"},
    binary_data={"raw": b64encode(b"\xff").decode()},
)
SECRET = Secret(
    metadata=ObjectMeta(name="s", namespace="default"),
    data={"one": b64encode(b"hidden").decode()},
)
DATA = PersistentVolumeClaim(metadata=ObjectMeta(name="data", namespace="default"))


def held(volume: Volume) -> VolumeContent:
    """What *volume* holds beside the objects above."""
    limits = Resources(limits={"memory": "64Mi"})
    mount = VolumeMount(name=volume.name, mount_path="/x")
    container = Container(name="web", resources=limits, volume_mounts=(mount,))
    spec = PodSpec(containers=(container,), volumes=(volume,))
    view = FakeView(CONFIG, SECRET, DATA)
    found = contents(spec, IDENTITY, view, lambda audience: f"to {audience}")
    return found[volume.name]


def projected(*sources: dict[str, object], **more: object) -> Volume:
    return Volume(name="v", projected={"sources": list(sources), **more})


def files(volume: Volume) -> dict[str, tuple[bytes, int]]:
    found = held(volume)
    assert isinstance(found, FileVolume)
    return {path: (file.content, file.mode) for path, file in found.files.items()}


def test_a_claim_is_a_volume_of_its_own_name_and_must_be_there() -> None:
    volume = Volume(name="v", persistent_volume_claim={"claimName": "data"})
    assert held(volume) == Claimed("knlite.default.data", "default/data")
    with pytest.raises(InstanceFailed) as refused:
        held(Volume(name="v", persistent_volume_claim={"claimName": "other"}))
    assert refused.value.reason == "Unschedulable"
    assert 'persistentvolumeclaim "other" not found' in str(refused.value)


def test_every_key_of_a_config_map_is_a_file() -> None:
    assert files(Volume(name="v", config_map=ConfigMapVolume(name="c"))) == {
        "one": (b"1", 0o644),
        "two": (b"2", 0o644),
        "raw": (b"\xff", 0o644),
    }


def test_items_choose_keys_paths_and_modes() -> None:
    items = (KeyToPath(key="one", path="deep/er", mode=0o400), KeyToPath(key="two", path="b"))
    volume = ConfigMapVolume(name="c", items=items, default_mode=0o440)
    assert files(Volume(name="v", config_map=volume)) == {
        "deep/er": (b"1", 0o400),
        "b": (b"2", 0o440),
    }


def test_a_secret_is_decoded_and_not_shown() -> None:
    volume = Volume(name="v", secret=SecretVolume(secret_name="s"))
    assert files(volume) == {"one": (b"hidden", 0o644)}
    assert "hidden" not in repr(held(volume))


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        pytest.param(
            Volume(name="v", config_map=ConfigMapVolume(name="no")),
            'configmap "no" not found',
            id="configMap",
        ),
        pytest.param(
            Volume(name="v", secret=SecretVolume(secret_name="no")),
            'secret "no" not found',
            id="secret",
        ),
        pytest.param(
            Volume(
                name="v",
                config_map=ConfigMapVolume(name="c", items=(KeyToPath(key="no", path="x"),)),
            ),
            "configmap references non-existent config key: no",
            id="key",
        ),
        pytest.param(
            projected({"secret": {"name": "no"}}), 'secret "no" not found', id="projected"
        ),
    ],
)
def test_what_is_missing_blocks_the_start_and_is_named(volume: Volume, why: str) -> None:
    with pytest.raises(InstanceFailed) as failed:
        held(volume)
    assert failed.value.reason == "FailedMount"
    assert failed.value.what == f'MountVolume.SetUp failed for volume "v" : {why}'


@pytest.mark.parametrize(
    "volume",
    [
        Volume(name="v", config_map=ConfigMapVolume(name="no", optional=True)),
        Volume(name="v", secret=SecretVolume(secret_name="no", optional=True)),
        projected({"configMap": {"name": "no", "optional": True}}),
        Volume(
            name="v",
            config_map=ConfigMapVolume(
                name="c", items=(KeyToPath(key="no", path="x"),), optional=True
            ),
        ),
    ],
)
def test_what_is_optional_may_be_missing(volume: Volume) -> None:
    assert files(volume) == {}


def test_the_last_source_of_a_path_wins_and_others_stay() -> None:
    volume = projected(
        {"configMap": {"name": "c", "items": [{"key": "one", "path": "same"}]}},
        {"configMap": {"name": "c", "items": [{"key": "two", "path": "other", "mode": 0o400}]}},
        {"secret": {"name": "s", "items": [{"key": "one", "path": "same"}]}},
        defaultMode=0o444,
    )
    assert files(volume) == {"same": (b"hidden", 0o444), "other": (b"2", 0o400)}


def test_a_token_and_facts_are_files_too() -> None:
    volume = projected(
        {"serviceAccountToken": {"path": "token", "audience": "vault"}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                    {
                        "path": "memory",
                        "resourceFieldRef": {
                            "containerName": "web",
                            "resource": "limits.memory",
                            "divisor": "1Mi",
                        },
                    },
                ]
            }
        },
    )
    assert files(volume) == {
        "token": (b"to vault", 0o644),
        "labels": (b'app="web"\nb="q\\""', 0o644),
        "memory": (b"64", 0o644),
    }


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../b", "..data", "./..data", "", ".", "a\0b"]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    items = (KeyToPath(key="one", path=path),)
    with pytest.raises(InstanceFailed, match="relative path"):
        held(Volume(name="v", config_map=ConfigMapVolume(name="c", items=items)))


def test_an_empty_folder_has_a_medium_and_a_limit() -> None:
    source = EmptyDirVolume(medium="Memory", size_limit="100M")
    expected = EmptyDir(in_memory=True, size_limit=100_000_000)
    assert held(Volume(name="v", empty_dir=source)) == expected
    assert held(Volume(name="v", empty_dir=EmptyDirVolume())) == EmptyDir()


def test_a_volume_that_nobody_mounts_is_not_read() -> None:
    volume = Volume(name="v", config_map=ConfigMapVolume(name="no"))
    spec = PodSpec(containers=(Container(name="web"),), volumes=(volume,))
    assert contents(spec, IDENTITY, FakeView(), str) == {}


def test_it_is_known_which_objects_a_pod_is_made_of() -> None:
    key = EnvVarSource(secret_key_ref=KeySelector(name="k", key="x"))
    spec = PodSpec(
        containers=(Container(env=(EnvVar(name="X", value_from=key),)),),
        volumes=(
            Volume(name="a", config_map=ConfigMapVolume(name="c")),
            projected({"secret": {"name": "s"}}, {"configMap": {"name": "d"}}),
        ),
    )
    assert sources(spec) == {
        ("ConfigMap", "c"),
        ("ConfigMap", "d"),
        ("Secret", "s"),
        ("Secret", "k"),
    }


def test_files_of_two_reads_are_equal_when_nothing_changed() -> None:
    volume = Volume(name="v", config_map=ConfigMapVolume(name="c"))
    assert held(volume) == held(volume)
    assert File(b"a") != File(b"b")
