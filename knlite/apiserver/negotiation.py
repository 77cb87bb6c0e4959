"""What a client accepts: the object, a Table of its columns, or its metadata alone.

Source: Kubernetes API concepts (``application/json;as=Table;g=meta.k8s.io;v=v1``); RFC 9110 §12.5.
Parameters come in any order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Shape = Literal["Object", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]
_SHAPES: dict[str, Shape] = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadataList",
}
_JSON = frozenset(("application/json", "*/*", "application/*"))
TABLE_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The first form in the client's list that is served. *version* is that of meta.k8s.io."""

    shape: Shape = "Object"
    version: str = "v1"


def accepted(header: str) -> Accepted | None:
    """What to answer to a client with this ``Accept``; None if nothing of it is served.

    Protobuf is never answered: every client that prefers it names JSON too.
    """
    if not header.strip():
        return Accepted()
    for media_type, parameters in media_types(header):
        if media_type not in _JSON:
            continue
        wanted = parameters.get("as")
        if wanted is None:
            return Accepted()
        version = parameters.get("v", "v1")
        if wanted in _SHAPES and version in TABLE_VERSIONS:
            return Accepted(_SHAPES[wanted], version)
    return None


def discovery_version(header: str) -> str | None:
    """The version of APIGroupDiscoveryList that is asked for first; None for the classic form."""
    for media_type, parameters in media_types(header):
        if media_type not in _JSON:
            continue
        if parameters.get("as") != "APIGroupDiscoveryList":
            return None
        if parameters.get("v") in {"v2", "v2beta1"}:
            return parameters["v"]
    return None


def media_types(header: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The media types of a header with their parameters, in the order in which they stand."""
    for part in header.split(","):
        media_type, *parameters = (step.strip() for step in part.split(";"))
        if media_type:
            pairs = (each.partition("=") for each in parameters)
            yield media_type.lower(), {name.strip(): value.strip() for name, _, value in pairs}
