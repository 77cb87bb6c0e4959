"""PersistentVolumeClaim: storage that outlives instances.

Source: Kubernetes core/v1 PersistentVolumeClaim, ``pkg/apis/core/validation`` (rules);
Knative reference §1.6.
Differs: a claim is bound at once, to a volume of the engine that bears its names, and gets as much
as it asks for, which nobody enforces.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
"""Who may mount it, and the short names of that."""
_STORAGE = "storage"


class ClaimResources(Fields):
    """How much is asked for, and at most wanted, as ``storage``."""

    requests: Mapping[str, Any] = msgspec.field(default_factory=dict)
    limits: Mapping[str, Any] = msgspec.field(default_factory=dict)


class PersistentVolumeClaimSpec(Fields):
    access_modes: tuple[str, ...] = ()
    resources: ClaimResources = ClaimResources()
    storage_class_name: str | None = None
    volume_mode: str = ""
    volume_name: str = ""
    selector: Any = None
    data_source: Any = None
    data_source_ref: Any = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeClaimStatus(Fields):
    phase: str = ""
    access_modes: tuple[str, ...] = ()
    capacity: Mapping[str, Any] = msgspec.field(default_factory=dict)


class PersistentVolumeClaim(Object):
    """Of the same namespace as the revisions that mount it."""

    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()


def volume_of(namespace: str, name: str) -> str:
    """The volume that the claim *name* is bound to."""
    return f"knlite.{namespace}.{name}"


def defaulted(
    obj: PersistentVolumeClaim, old: PersistentVolumeClaim | None, config: Config
) -> PersistentVolumeClaim:
    """*obj*, bound to its volume."""
    meta, spec = obj.metadata, obj.spec
    spec = msgspec.structs.replace(
        spec,
        volume_mode=spec.volume_mode or "Filesystem",
        volume_name=spec.volume_name or volume_of(meta.namespace, meta.name),
    )
    status = PersistentVolumeClaimStatus(
        phase="Bound", access_modes=spec.access_modes, capacity=spec.resources.requests
    )
    return msgspec.structs.replace(obj, spec=spec, status=status)


def validated(
    obj: PersistentVolumeClaim, old: PersistentVolumeClaim | None, config: Config
) -> Errors:
    """What is wrong with *obj*, which is bound."""
    spec, errors = obj.spec, list[FieldError](name_errors(obj))
    if not spec.access_modes:
        errors.append(missing("spec.accessModes"))
    errors += [
        invalid(mode, f"spec.accessModes[{index}]")
        for index, mode in enumerate(spec.access_modes)
        if mode not in MODES
    ]
    if spec.volume_mode != "Filesystem":
        text = f"there are no volumes of the mode {spec.volume_mode} here"
        errors.append(generic(text, "spec.volumeMode"))
    if spec.volume_name != volume_of(obj.metadata.namespace, obj.metadata.name):
        text = "a volume cannot be chosen here: leave it out"
        errors.append(generic(text, "spec.volumeName"))
    errors += _storage_errors(spec.resources.requests)
    if old is not None and _lasting(old.spec) != _lasting(spec):
        errors.append(generic("field is immutable after creation, except its requests", "spec"))
    return tuple(errors)


def _storage_errors(requests: Mapping[str, Any]) -> Errors:
    path = f"spec.resources.requests.{_STORAGE}"
    amount = requests.get(_STORAGE)
    if amount is None:
        return (missing(path),)
    try:
        return () if parse_quantity(str(amount)) > 0 else (invalid(amount, path),)
    except InvalidQuantity:
        return (invalid(amount, path),)


def _lasting(spec: PersistentVolumeClaimSpec) -> PersistentVolumeClaimSpec:
    return msgspec.structs.replace(
        spec, resources=ClaimResources(), volume_attributes_class_name=None
    )


def modes_column(obj: PersistentVolumeClaim) -> str:
    """``RWO,ROX``: who may mount it."""
    return ",".join(MODES.get(mode, mode) for mode in obj.status.access_modes)
