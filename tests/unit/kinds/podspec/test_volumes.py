"""Knative reference §1.6: the rules of volumes and mounts, and their texts."""

import pytest

from knlite.kinds.codec import decode
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import rendered
from knlite.kinds.podspec.fields import PodSpec
from knlite.kinds.podspec.volumes import mounts_errors, volumes_errors


def problems(
    volumes: list[dict[str, object]],
    mounts: list[dict[str, object]],
    flags: dict[str, str] | None = None,
) -> str:
    tree = {"volumes": volumes, "containers": [{"volumeMounts": mounts}]}
    decoded = decode(PodSpec, tree)
    assert decoded.value is not None, decoded.problems
    pod, features = decoded.value, FeaturesConfig(flags or {})
    named = {volume.name: volume for volume in pod.volumes}
    return rendered(
        (
            *volumes_errors(pod, features),
            *mounts_errors(pod.containers[0].volume_mounts, named, features),
        )
    )


MOUNT: dict[str, object] = {"name": "v", "mountPath": "/v", "readOnly": True}
SECRET: dict[str, object] = {"name": "v", "secret": {"secretName": "s"}}


@pytest.mark.parametrize(
    "source",
    [
        {"secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}},
        {"configMap": {"name": "m"}},
        {"emptyDir": {}},
        {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {
            "projected": {
                "sources": [
                    {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
                    {"configMap": {"name": "m", "optional": True}},
                    {"serviceAccountToken": {"path": "token"}},
                    {"downwardAPI": {"items": [{"path": "p", "fieldRef": {}}]}},
                ]
            }
        },
    ],
    ids=["secret", "configMap", "emptyDir", "memory", "projected"],
)
def test_accepts_without_a_flag(source: dict[str, object]) -> None:
    assert problems([{"name": "v", **source}], [MOUNT]) == ""


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        (
            {"name": "v"},
            "expected exactly one, got neither: [0].configMap, [0].emptyDir, [0].projected,"
            " [0].secret",
        ),
        (
            {"name": "v", "secret": {}, "configMap": {}},
            "expected exactly one, got both: [0].configMap, [0].secret",
        ),
        (
            {"name": "v", "emptyDir": {"medium": "x", "sizeLimit": "-1"}},
            "invalid value: -1: [0].emptyDir.sizeLimit\ninvalid value: x: [0].emptyDir.medium",
        ),
        (
            {"name": "v", "emptyDir": {"sizeLimit": "1x"}},
            "invalid value: 1x: [0].emptyDir.sizeLimit\nquantities must match the regular"
            " expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"name": "v", "secret": {"items": [{}]}},
            "missing field(s): [0].items[0].key, [0].items[0].path",
        ),
        (
            {"name": "v", "projected": {"sources": [{}]}},
            "expected exactly one, got neither: [0].projected[0].configMap,"
            " [0].projected[0].downwardAPI, [0].projected[0].secret,"
            " [0].projected[0].serviceAccountToken",
        ),
        (
            {
                "name": "v",
                "projected": {
                    "sources": [
                        {"secret": {"items": [{"key": "k"}]}},
                        {"serviceAccountToken": {"bogus": 1}},
                        {"downwardAPI": {"items": [{"fieldRef": {}, "resourceFieldRef": {}}]}},
                    ]
                },
            },
            "Within a single item, cannot set both:"
            " [0].projected[2].downwardAPI.items[0].fieldRef,"
            " [0].projected[2].downwardAPI.items[0].resourceFieldRef\n"
            "missing field(s): [0].projected[0].secret.items[0].path,"
            " [0].projected[0].secret.name, [0].projected[1].serviceAccountToken.path,"
            " [0].projected[2].downwardAPI.items[0].path\n"
            "must not set the field(s): [0].projected[1].serviceAccountToken.bogus",
        ),
        (
            {"name": "v", "hostPath": {"path": "/"}},
            "HostPath volume support is disabled, but found HostPath volume v: \n"
            "must not set the field(s): [0].hostPath",
        ),
        (
            {"name": "v", "persistentVolumeClaim": {"claimName": "c"}},
            "Persistent volume claim support is disabled, but found persistent volume claim c: \n"
            "Persistent volume write support is disabled, but found persistent volume claim c that"
            " is not read-only: \n"
            "must not set the field(s): [0].persistentVolumeClaim",
        ),
    ],
)
def test_refuses_a_volume(volume: dict[str, object], text: str) -> None:
    assert problems([volume], [MOUNT]) == text


def test_empty_dirs_can_be_switched_off() -> None:
    flags = {"kubernetes.podspec-volumes-emptydir": "Disabled"}
    assert problems([{"name": "v", "emptyDir": {}}], [MOUNT], flags) == (
        "EmptyDir volume support is disabled, but found EmptyDir volume v: \n"
        "must not set the field(s): [0].emptyDir"
    )


def test_a_volume_has_a_name_of_its_own_and_is_mounted() -> None:
    assert problems([SECRET, SECRET], [MOUNT]) == 'duplicate volume name "v": [1].name'
    assert problems([{"name": "other", "secret": {}}], []) == (
        'volume with name "other" not mounted: [0].name'
    )
    bad: dict[str, object] = {"name": "No", "secret": {}}
    assert problems([bad], [{**MOUNT, "name": "No"}]) == "invalid value: No: [0].name"


@pytest.mark.parametrize(
    ("mount", "text"),
    [
        (
            {"name": "x", "mountPath": "/v", "readOnly": True},
            "volumeMount has no matching volume: [1].name",
        ),
        ({"name": "v", "readOnly": True}, "missing field(s): [1].mountPath"),
        ({**MOUNT, "mountPath": "v"}, "invalid value: v: [1].mountPath"),
        ({**MOUNT, "mountPath": "/"}, 'mountPath "/" is a reserved path: [1].mountPath'),
        ({**MOUNT, "mountPath": "//dev/"}, 'mountPath "/dev" is a reserved path: [1].mountPath'),
        (
            {**MOUNT, "mountPath": "/dev/log"},
            'mountPath "/dev/log" is a reserved path: [1].mountPath',
        ),
        (
            {**MOUNT, "mountPath": "/first/"},
            'invalid value: "/first/" must be unique: [1].mountPath',
        ),
        (
            {"name": "v", "mountPath": "/v"},
            "volume mount should be readOnly for this type of volume: [1].readOnly",
        ),
        (
            {**MOUNT, "mountPropagation": "Bidirectional"},
            "Volume Mount Propagation support is disabled, but found volume mount v with mount"
            " propagation: \n"
            "mount propagation should be set to None or HostToContainer: [1].mountPropagation\n"
            "must not set the field(s): [1].mountPropagation",
        ),
    ],
)
def test_refuses_a_mount(mount: dict[str, object], text: str) -> None:
    first = {**MOUNT, "mountPath": "/first"}
    assert problems([SECRET], [first, mount]) == text


def test_an_empty_dir_may_be_written() -> None:
    assert problems([{"name": "v", "emptyDir": {}}], [{"name": "v", "mountPath": "/v"}]) == ""


def test_a_read_only_claim_is_mounted_read_only() -> None:
    flags = {"kubernetes.podspec-persistent-volume-claim": "Enabled"}
    claim: dict[str, object] = {
        "name": "v",
        "persistentVolumeClaim": {"claimName": "c", "readOnly": True},
    }
    assert problems([claim], [MOUNT], flags) == ""
    assert problems([claim], [{"name": "v", "mountPath": "/v"}], flags) == (
        "volume is readOnly but volume mount is not: [0].readOnly"
    )
