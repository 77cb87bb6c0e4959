"""EventTypes that nobody writes: of sources, and of events that were seen.

Source: knative/eventing ``pkg/reconciler/source/duck/duck.go``, ``pkg/eventtype``; Eventing
reference §12.
"""

import hashlib
import re
from collections.abc import Mapping

from knlite.kinds.eventing.eventtype import EventType, EventTypeSpec
from knlite.kinds.kreference import KReference, reference_defaulted
from knlite.kinds.labels import SOURCE_NAME
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.sources.source import CloudEventAttributes

AUTO_CREATED = "Event Type auto-created by controller"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")


def seen_name(addressable: str, event_type: str, source: str, namespace: str) -> str:
    """The name of the EventType of what *addressable* has taken."""
    digest = _digest(event_type + source + namespace + addressable)
    return _as_name(f"et-{addressable}-{digest}")


def source_type(
    sent: CloudEventAttributes,
    sink: KReference,
    namespace: str,
    owner: OwnerReference,
    description: str,
) -> EventType:
    """The EventType of what the source *owner* in *namespace* sends to *sink*."""
    return EventType(
        metadata=ObjectMeta(
            name=_digest(sent.type + sent.source + owner.uid),
            namespace=namespace,
            labels={SOURCE_NAME: owner.name},
            owner_references=(owner,),
        ),
        spec=EventTypeSpec(
            type=sent.type,
            source=sent.source,
            reference=reference_defaulted(sink, namespace),
            description=description,
        ),
    )


def seen_type(attributes: Mapping[str, str], namespace: str, owner: OwnerReference) -> EventType:
    """The EventType of an event with *attributes* that *owner* in *namespace* has taken."""
    event_type, source = attributes.get("type", ""), attributes.get("source", "")
    reference = KReference(
        api_version=owner.api_version, kind=owner.kind, name=owner.name, namespace=namespace
    )
    return EventType(
        metadata=ObjectMeta(
            name=seen_name(owner.name, event_type, source, namespace),
            namespace=namespace,
            owner_references=(owner,),
        ),
        spec=EventTypeSpec(
            type=event_type,
            source=source,
            schema=attributes.get("dataschema"),
            reference=reference,
            description=AUTO_CREATED,
        ),
    )


def _digest(text: str) -> str:
    # A name, not a seal.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _as_name(text: str) -> str:
    """*text* with what no name may hold left out."""
    return _NOT_IN_NAMES.sub("", text.lower())[-253:].strip("-.")
