"""KReference: how Knative's kinds name another object.

Source: knative/pkg ``apis/duck/v1/knative_reference.go``; Eventing reference §1.3.
Not here: Kubernetes' own (``core/objectreference.py``).
"""

from collections.abc import Callable

import msgspec

from knlite.kinds.fielderror import Errors, FieldError, disallowed, generic, missing
from knlite.kinds.meta import Fields

KREFERENCE_GROUP = "kreference-group"
"""Feature flag that allows ``group`` in references."""

Enabled = Callable[[str], bool]
"""Whether a feature flag of Eventing is on."""


class KReference(Fields):
    """Names an object, possibly in another namespace."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    api_version: str = ""
    group: str | None = None
    address: str | None = None


def reference_defaulted(ref: KReference, namespace: str) -> KReference:
    """*ref* in *namespace* unless it names another one."""
    return ref if ref.namespace else msgspec.structs.replace(ref, namespace=namespace)


def reference_validated(ref: KReference, enabled: Enabled, within: str = "") -> Errors:
    """What is wrong with *ref*; paths are relative to it.

    It must lie in the namespace *within*, unless that is empty.
    """
    errors = [
        missing(name) for name, value in (("name", ref.name), ("kind", ref.kind)) if not value
    ]
    if enabled(KREFERENCE_GROUP):
        errors.extend(_group_validated(ref))
    else:
        if ref.group:
            errors.append(disallowed("group"))
        if not ref.api_version:
            errors.append(missing("apiVersion"))
    if within and ref.namespace not in {"", within}:
        errors.append(mismatched(within, ref.namespace))
    return tuple(errors)


def mismatched(within: str, namespace: str) -> FieldError:
    """A reference leads to *namespace*, and may only lead to *within*."""
    details = f'parent namespace: "{within}" does not match ref: "{namespace}"'
    return generic("mismatched namespaces", "namespace", details=details)


def group_of(ref: KReference) -> str:
    """The API group that *ref* means; empty for the core group."""
    return ref.group or ref.api_version.rpartition("/")[0]


def shown(ref: KReference) -> str:
    """*ref* in the words of errors about it."""
    return (
        f"Kind = {ref.kind}, Namespace = {ref.namespace}, Name = {ref.name}, APIVersion ="
        f" {ref.api_version}, Group = {ref.group or ''}, Address = {ref.address or ''}"
    )


def _group_validated(ref: KReference) -> Errors:
    if not ref.api_version and not ref.group:
        return (missing("apiVersion"), missing("group"))
    if ref.api_version and ref.group and ref.api_version.rpartition("/")[0] != ref.group:
        return (
            generic(
                "both apiVersion and group are specified and they refer to different API groups",
                "apiVersion",
                "group",
                details="Only one of them must be specified",
            ),
        )
    return ()
