"""CustomResourceDefinition: how clients learn which of Knative's kinds there are. Read-only.

Source: Kubernetes apiextensions/v1. Not here: those of Knative's kinds (``kinds/definitions.py``).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.conditions import Conditions
from knlite.kinds.meta import Fields, Object


class CustomResourceNames(Fields):
    plural: str = ""
    singular: str = ""
    kind: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class CustomResourceVersion(Fields):
    name: str = ""
    served: bool | None = None
    storage: bool | None = None
    subresources: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    schema: Any = None


class CustomResourceDefinitionSpec(Fields):
    group: str = ""
    names: CustomResourceNames = CustomResourceNames()
    scope: str = ""
    versions: tuple[CustomResourceVersion, ...] = ()


class CustomResourceDefinitionStatus(Fields):
    conditions: Conditions = ()
    accepted_names: CustomResourceNames = CustomResourceNames()
    stored_versions: tuple[str, ...] = ()


class CustomResourceDefinition(Object):
    """A kind that does not belong to Kubernetes itself."""

    spec: CustomResourceDefinitionSpec = CustomResourceDefinitionSpec()
    status: CustomResourceDefinitionStatus = CustomResourceDefinitionStatus()


def created_column(obj: CustomResourceDefinition) -> str:
    """When it was created, which kubectl shows as it is."""
    return obj.metadata.creation_timestamp or ""
