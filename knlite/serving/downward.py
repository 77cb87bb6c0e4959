"""What an instance may be told about itself: fields of its pod and resources of its containers.

Source: Kubernetes "Downward API", kubernetes pkg/fieldpath and pkg/api/v1/resource (formats).
Differs: what a pod has only once it runs (``status.*``, ``metadata.uid``) is not known before the
start, nor is there a node to name; asking for it is refused rather than answered by a guess.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import Container, Quantity
from knlite.kinds.quantities import InvalidQuantity, parse

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The pod of one instance, as far as it is known before the start."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    service_account: str = "default"


def field_value(reference: object, identity: Identity) -> str:
    """What a ``fieldRef`` refers to. Raises ``InstanceFailed``."""
    path = _text(reference, "fieldPath")
    match path:
        case "metadata.name":
            return identity.name
        case "metadata.namespace":
            return identity.namespace
        case "metadata.labels":
            return _listed(identity.labels)
        case "metadata.annotations":
            return _listed(identity.annotations)
        case "spec.serviceAccountName":
            return identity.service_account
        case _:
            pass
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is None:
        raise InstanceFailed(
            "UnsupportedPod",
            f"the field {path} of an instance is not known before it starts",
            fix="leave it out here, or give the value itself",
        )
    values = identity.labels if subscript[1] == "labels" else identity.annotations
    return values.get(subscript[2], "")


def resource_value(reference: object, containers: Sequence[Container], own: str) -> str:
    """What a ``resourceFieldRef`` refers to, *own* being the container that asks.

    The number is rounded up to whole divisors. Raises ``InstanceFailed``.
    """
    resource, name = _text(reference, "resource"), _text(reference, "containerName") or own
    divisor = _text(reference, "divisor") or "1"
    container = next((each for each in containers if each.name == name), None)
    quantity = _quantity(container, resource)
    if quantity is None:
        raise InstanceFailed(
            "UnsupportedPod",
            f"the container {name} says nothing of {resource}, and there is no node to ask",
            fix=f"set resources.{resource} of the container",
        )
    try:
        parts = parse(quantity) / (parse(divisor) or 1)
    except InvalidQuantity as exc:
        raise InstanceFailed(
            "CreateContainerConfigError", f"the divisor {divisor!r} is no quantity", cause=str(exc)
        ) from exc
    return str(parts.to_integral_value(ROUND_CEILING))


def _quantity(container: Container | None, resource: str) -> Quantity | None:
    if container is None or container.resources is None:
        return None
    kind, _, name = resource.partition(".")
    resources = container.resources
    if kind == "limits":
        return resources.limits.get(name)
    return resources.requests.get(name, resources.limits.get(name)) if kind == "requests" else None


def _text(reference: object, field: str) -> str:
    found = reference.get(field) if isinstance(reference, Mapping) else None
    return str(found) if found is not None else ""


def _listed(values: Mapping[str, str]) -> str:
    # Quoted as Go's %q does for all that labels and annotations usually hold.
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'

    return "\n".join(f"{key}={quoted(values[key])}" for key in sorted(values))
