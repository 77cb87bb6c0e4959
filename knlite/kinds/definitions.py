"""The CustomResourceDefinitions of Knative's kinds, by which clients find sources and channels.

Their schemas say nothing; OpenAPI does (``apiserver/openapi.py``).

Source: Eventing reference §2 (labels); knative/eventing ``config/core/resources``, knative/serving
``config/core/300-resources`` (labels, annotations).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from knlite.kinds.catalog import KINDS
from knlite.kinds.conditions import Condition, timestamp
from knlite.kinds.core.customresourcedefinition import (
    CustomResourceDefinition,
    CustomResourceDefinitionSpec,
    CustomResourceDefinitionStatus,
    CustomResourceNames,
    CustomResourceVersion,
)
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.descriptions import DESCRIPTIONS, types_of
from knlite.kinds.sources.kafkasource import KafkaSource

_ADDRESSABLE: Final = "duck.knative.dev/addressable"
_PODSPECABLE: Final = "duck.knative.dev/podspecable"
_SOURCES: Final = ("duck.knative.dev/source", "eventing.knative.dev/source")
_BINDING: Final = "duck.knative.dev/binding"
_SUBSCRIBABLE: Final = "messaging.knative.dev/subscribable"
EVENT_TYPES: Final = "registry.knative.dev/eventTypes"

_LABELS: Mapping[str, tuple[str, ...]] = {
    "services.serving.knative.dev": (_ADDRESSABLE, _PODSPECABLE),
    "configurations.serving.knative.dev": (_PODSPECABLE,),
    "routes.serving.knative.dev": (_ADDRESSABLE,),
    "brokers.eventing.knative.dev": (_ADDRESSABLE,),
    # Not RequestReply: upstream has forgotten it.
    "eventtransforms.eventing.knative.dev": (_ADDRESSABLE,),
    "channels.messaging.knative.dev": (_ADDRESSABLE, _SUBSCRIBABLE),
    "inmemorychannels.messaging.knative.dev": (_ADDRESSABLE, _SUBSCRIBABLE),
    "kafkachannels.messaging.knative.dev": (_ADDRESSABLE, _SUBSCRIBABLE),
    "kafkasinks.eventing.knative.dev": (_ADDRESSABLE,),
    "sequences.flows.knative.dev": (_ADDRESSABLE,),
    "parallels.flows.knative.dev": (_ADDRESSABLE,),
    "jobsinks.sinks.knative.dev": (_ADDRESSABLE,),
    "pingsources.sources.knative.dev": _SOURCES,
    "apiserversources.sources.knative.dev": _SOURCES,
    "containersources.sources.knative.dev": _SOURCES,
    "kafkasources.sources.knative.dev": _SOURCES,
    "sinkbindings.sources.knative.dev": (*_SOURCES, _BINDING),
    "rabbitmqsources.sources.knative.dev": _SOURCES,
}
_OF_SERVING: Final = frozenset(
    (
        "serving.knative.dev",
        "autoscaling.internal.knative.dev",
        "networking.internal.knative.dev",
        "caching.internal.knative.dev",
    )
)
_ANY = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def definitions(now: datetime) -> tuple[CustomResourceDefinition, ...]:
    """One for each of Knative's kinds, since *now*."""
    found = (_definition(info, timestamp(now)) for info in KINDS if info.custom)
    return tuple(sorted(found, key=lambda each: each.metadata.name))


def _definition(info: KindInfo, since: str) -> CustomResourceDefinition:
    names = CustomResourceNames(
        plural=info.plural,
        singular=info.singular,
        kind=info.kind,
        list_kind=f"{info.kind}List",
        short_names=info.short_names,
        categories=info.categories,
    )
    labels = {
        "app.kubernetes.io/name": "knative-serving"
        if info.group in _OF_SERVING
        else "knative-eventing",
        "knative.dev/crd-install": "true",
        **dict.fromkeys(_LABELS.get(info.resource, ()), "true"),
    }
    return CustomResourceDefinition(
        metadata=ObjectMeta(
            name=info.resource,
            uid=f"definition-{info.resource}",
            resource_version="1",
            generation=1,
            creation_timestamp=since,
            labels=labels,
            annotations=_annotations(info),
        ),
        spec=CustomResourceDefinitionSpec(
            group=info.group,
            names=names,
            scope="Namespaced" if info.namespaced else "Cluster",
            versions=tuple(_versions(info)),
        ),
        status=CustomResourceDefinitionStatus(
            conditions=(
                _condition("NamesAccepted", "NoConflicts", "no conflicts found", since),
                _condition(
                    "Established",
                    "InitialNamesAccepted",
                    "the initial names have been accepted",
                    since,
                ),
            ),
            accepted_names=names,
            stored_versions=(info.version,),
        ),
    )


def _versions(info: KindInfo) -> Iterator[CustomResourceVersion]:
    """The version that is stored comes first: kn asks for the first one that is served."""
    parts: dict[str, dict[str, str]] = {"status": {}} if info.has_status else {}
    if info.type is KafkaSource:
        parts["scale"] = {
            "specReplicasPath": ".spec.consumers",
            "statusReplicasPath": ".status.consumers",
            "labelSelectorPath": ".status.selector",
        }
    for each in info.served():
        yield CustomResourceVersion(
            name=each.version,
            served=True,
            storage=each.version == info.version,
            subresources=parts,
            schema=_ANY,
        )


def _annotations(info: KindInfo) -> dict[str, str]:
    """What the events of a source tell."""
    types = [{"type": each, "description": DESCRIPTIONS[each]} for each in types_of(info.resource)]
    return {EVENT_TYPES: msgspec.json.encode(types).decode()} if types else {}


def _condition(kind: str, reason: str, message: str, since: str) -> Condition:
    return Condition(
        type=kind, status="True", last_transition_time=since, reason=reason, message=message
    )
