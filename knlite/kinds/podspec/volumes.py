"""Rules of volumes and of where containers mount them.

Source: knative/serving ``pkg/apis/serving/k8s_validation.go``; Knative reference §1.6.
Differs: a volume without a name keeps its other errors, which upstream forgets.
"""

from collections.abc import Mapping, Sequence
from posixpath import isabs, normpath

from knlite.kinds.config import features as flags
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    disallowed,
    generic,
    invalid,
    missing,
    neither,
    under,
)
from knlite.kinds.names import label_1123_problems
from knlite.kinds.podspec import fieldmask
from knlite.kinds.podspec.fields import (
    EmptyDirVolume,
    KeyToPath,
    PodSpec,
    Volume,
    VolumeMount,
)
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

RESERVED_PATHS = frozenset({"/", "/dev", "/dev/log"})

_SWITCHED = (
    ("Image", "image", flags.IMAGE_VOLUME),
    ("EmptyDir", "empty_dir", flags.EMPTY_DIR),
    ("HostPath", "host_path", flags.HOST_PATH),
    ("CSI", "csi", flags.CSI),
    ("Ephemeral", "ephemeral", flags.EPHEMERAL),
)
_SOURCES = (
    ("secret", "secret"),
    ("configMap", "config_map"),
    ("projected", "projected"),
    ("emptyDir", "empty_dir"),
    ("persistentVolumeClaim", "persistent_volume_claim"),
    ("hostPath", "host_path"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
)
_PROJECTIONS: Mapping[str, tuple[frozenset[str], str]] = {
    "secret": (frozenset({"name", "items", "optional"}), "name"),
    "configMap": (frozenset({"name", "items", "optional"}), "name"),
    "serviceAccountToken": (frozenset({"audience", "expirationSeconds", "path"}), "path"),
    "downwardAPI": (frozenset({"items"}), ""),
}
"""Sources of a projected volume: their fields, and the one that is required."""


def volumes_errors(pod: PodSpec, features: FeaturesConfig) -> Errors:
    """What is wrong with the volumes of *pod*, each of which some container must mount."""
    mounted = {
        mount.name
        for container in (*pod.init_containers, *pod.containers)
        for mount in container.volume_mounts
    }
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, volume in enumerate(pod.volumes):
        found = [*_volume_errors(volume, features)]
        if volume.name in seen:
            found.append(generic(f'duplicate volume name "{volume.name}"', "name"))
        if volume.name not in mounted:
            found.append(generic(f'volume with name "{volume.name}" not mounted', "name"))
        seen.add(volume.name)
        errors += under(f"[{index}]", found)
    return tuple(errors)


def mounts_errors(
    mounts: tuple[VolumeMount, ...], volumes: Mapping[str, Volume], features: FeaturesConfig
) -> Errors:
    """What is wrong with the *mounts* of a container; *volumes* are the pod's, by name."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        found = (
            *fieldmask.mount_errors(mount, features),
            *_path_errors(mount.mount_path, seen),
            *_writing_errors(mount, volumes.get(mount.name)),
            *_propagation_errors(mount, features),
        )
        seen.add(_cleaned(mount.mount_path))
        errors += under(f"[{index}]", found)
    return tuple(errors)


def _path_errors(path: str, seen: set[str]) -> Errors:
    if not path:
        return (missing("mountPath"),)
    cleaned = _cleaned(path)
    if cleaned in RESERVED_PATHS:
        return (generic(f'mountPath "{cleaned}" is a reserved path', "mountPath"),)
    if not isabs(path):
        return (invalid(path, "mountPath"),)
    if cleaned in seen:
        return (invalid(f'"{path}" must be unique', "mountPath"),)
    return ()


def _cleaned(path: str) -> str:
    # Two slashes in front mean something of their own to normpath, but not to a mount.
    return normpath(path).replace("//", "/")


def _writing_errors(mount: VolumeMount, volume: Volume | None) -> Errors:
    errors: list[FieldError] = []
    if volume is None:
        errors.append(generic("volumeMount has no matching volume", "name"))
    claim = volume.persistent_volume_claim if volume is not None else None
    writable = volume is not None and (
        volume.empty_dir is not None or claim is not None or volume.ephemeral is not None
    )
    if not writable and not mount.read_only:
        text = "volume mount should be readOnly for this type of volume"
        errors.append(generic(text, "readOnly"))
    if isinstance(claim, Mapping) and claim.get("readOnly") and not mount.read_only:
        errors.append(generic("volume is readOnly but volume mount is not", "readOnly"))
    return tuple(errors)


def _propagation_errors(mount: VolumeMount, features: FeaturesConfig) -> Errors:
    if mount.mount_propagation is None:
        return ()
    errors: list[FieldError] = []
    if not features.enabled(flags.MOUNT_PROPAGATION):
        errors.append(
            generic(
                "Volume Mount Propagation support is disabled,"
                f" but found volume mount {mount.name} with mount propagation"
            )
        )
    if mount.mount_propagation not in ("None", "HostToContainer"):
        text = "mount propagation should be set to None or HostToContainer"
        errors.append(generic(text, "mountPropagation"))
    return tuple(errors)


def _volume_errors(volume: Volume, features: FeaturesConfig) -> Errors:
    errors = [*_claim_errors(volume, features)]
    for noun, field, flag in _SWITCHED:
        if getattr(volume, field) is not None and not features.enabled(flag):
            text = f"{noun} volume support is disabled, but found {noun} volume {volume.name}"
            errors.append(generic(text))
    errors += fieldmask.volume_errors(volume, features)
    if not volume.name:
        errors.append(missing("name"))
    elif label_1123_problems(volume.name):
        errors.append(invalid(volume.name, "name"))
    errors += _source_errors(volume)
    errors += _count_errors(volume, features)
    return tuple(errors)


def _claim_errors(volume: Volume, features: FeaturesConfig) -> Errors:
    claim = volume.persistent_volume_claim
    if not isinstance(claim, Mapping):
        return ()
    errors: list[FieldError] = []
    found = f"but found persistent volume claim {claim.get('claimName', '')}"
    if not features.enabled(flags.PERSISTENT_VOLUME_CLAIM):
        errors.append(generic(f"Persistent volume claim support is disabled, {found}"))
    if not claim.get("readOnly") and not features.enabled(flags.PERSISTENT_VOLUME_WRITE):
        text = f"Persistent volume write support is disabled, {found} that is not read-only"
        errors.append(generic(text))
    return tuple(errors)


def _source_errors(volume: Volume) -> Errors:
    """Inside of the source. Paths of ``items`` and ``projected`` are as short as upstream's."""
    errors: list[FieldError] = []
    for source in (volume.secret, volume.config_map):
        for index, item in enumerate(source.items if source is not None else ()):
            errors += under(f"items[{index}]", _item_errors(item))
    for index, projection in enumerate(_entries(volume.projected, "sources")):
        errors += under(f"projected[{index}]", _projection_errors(projection))
    if volume.empty_dir is not None:
        errors += under("emptyDir", _empty_dir_errors(volume.empty_dir))
    if isinstance(volume.image, Mapping):
        errors += under("image", _image_errors(volume.image))
    return tuple(errors)


def _count_errors(volume: Volume, features: FeaturesConfig) -> Errors:
    """Exactly one source; those that a flag would have to open are not offered."""
    given = [name for name, field in _SOURCES if getattr(volume, field) is not None]
    if len(given) > 1:
        return (both(*given),)
    if given:
        return ()
    switches = fieldmask.VOLUME_FLAGS
    offered = [
        name for name, _ in _SOURCES if name not in switches or features.enabled(switches[name])
    ]
    return (neither(*offered),)


def _item_errors(item: KeyToPath) -> Errors:
    return tuple(missing(field) for field in ("key", "path") if not getattr(item, field))


def _projection_errors(projection: Mapping[str, object]) -> Errors:
    errors: list[FieldError] = []
    given = [name for name in _PROJECTIONS if projection.get(name) is not None]
    unknown = [name for name, each in projection.items() if each and name not in _PROJECTIONS]
    if unknown:
        errors.append(disallowed(*unknown))
    for name in given:
        source = projection[name]
        fields, required = _PROJECTIONS[name]
        if not isinstance(source, Mapping):
            errors.append(invalid(source, name))
            continue
        refused = [field for field in source if field not in fields]
        if refused:
            errors += under(name, (disallowed(*refused),))
        if required and not source.get(required):
            errors += under(name, (missing(required),))
        check = _downward_errors if name == "downwardAPI" else _projected_item_errors
        for index, item in enumerate(_entries(source, "items")):
            errors += under(f"{name}.items[{index}]", check(item))
    if not given:
        errors.append(neither(*_PROJECTIONS))
    elif len(given) > 1:
        errors.append(both(*given))
    return tuple(errors)


def _projected_item_errors(item: Mapping[str, object]) -> Errors:
    return tuple(missing(field) for field in ("key", "path") if not item.get(field))


def _downward_errors(item: Mapping[str, object]) -> Errors:
    errors: list[FieldError] = []
    references = [name for name in ("fieldRef", "resourceFieldRef") if item.get(name) is not None]
    if not references:
        errors.append(neither("fieldRef", "resourceFieldRef"))
    elif len(references) > 1:
        text = "Within a single item, cannot set both"
        errors.append(generic(text, "resourceFieldRef", "fieldRef"))
    if not item.get("path"):
        errors.append(missing("path"))
    return tuple(errors)


def _empty_dir_errors(source: EmptyDirVolume) -> Errors:
    errors: list[FieldError] = []
    if source.medium not in ("", "Memory"):
        errors.append(invalid(source.medium, "medium"))
    if source.size_limit is not None:
        try:
            negative = parse_quantity(source.size_limit) < 0
        except InvalidQuantity as exc:
            errors.append(invalid(source.size_limit, "sizeLimit", str(exc)))
        else:
            if negative:
                errors.append(invalid(source.size_limit, "sizeLimit"))
    return tuple(errors)


def _image_errors(source: Mapping[str, object]) -> Errors:
    errors: list[FieldError] = []
    if not source.get("reference"):
        errors.append(missing("reference"))
    policy = source.get("pullPolicy") or ""
    if policy not in ("", "Always", "IfNotPresent", "Never"):
        errors.append(invalid(policy, "pullPolicy"))
    return tuple(errors)


def _entries(value: object, field: str) -> Sequence[Mapping[str, object]]:
    """The objects listed in *field* of a part of the manifest that is not typed."""
    listed = value.get(field) if isinstance(value, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return ()
    return [each for each in listed if isinstance(each, Mapping)]
