"""EventTypes of sources: one for each kind of event that a source says it sends to an object.

What a source does not send any more goes, and so does everything when it sends to a plain URL.

Source: knative/eventing ``pkg/reconciler/source/duck``, the annotation
``registry.knative.dev/eventTypes`` of its CustomResourceDefinitions (descriptions); Eventing
reference §12.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from knlite.eventing.eventtypes import source_type
from knlite.kinds.catalog import info_of
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.meta import Object, OwnerReference
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.kinds.sources.source import CloudEventAttributes
from knlite.reconcile import Change, Create, Delete, Key, Outcome, View, key_of

SOURCES: Final[tuple[type[Object], ...]] = (PingSource, ApiServerSource, SinkBinding)

_DESCRIPTIONS: Mapping[str, str] = {
    "dev.knative.sources.ping": "CloudEvent type for fixed payloads on a specified cron schedule",
    **{
        f"dev.knative.apiserver.{kind}.{what}": f"CloudEvent type used for {what} operations when"
        f" in {mode} mode"
        for kind, mode in (("resource", "Resource"), ("ref", "Reference"))
        for what in ("add", "delete", "update")
    },
}


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The EventTypes of the source at *key*."""
    source = view.get(key.kind, key.namespace, key.name)
    if source is None:
        return Outcome()
    going = source.metadata.deletion_timestamp is not None
    wanted = {} if going else {each.metadata.name: each for each in _wanted(source)}
    existing = {each.metadata.name: each for each in view.owned(EventType, source)}
    changes: list[Change] = []
    for name, found in existing.items():
        if name not in wanted or wanted[name].spec != found.spec:
            changes.append(Delete(key_of(found)))
    for name, new in wanted.items():
        old = existing.get(name)
        if old is None or old.spec != new.spec:
            changes.append(Create(new))
    return Outcome(tuple(changes))


def _wanted(source: Object) -> Iterator[EventType]:
    sink, sent = _sending(source)
    if sink.ref is None:
        return
    owner = _owner(source)
    for each in sent:
        if each.type:
            description = _DESCRIPTIONS.get(each.type, "")
            yield source_type(each, sink.ref, source.metadata.namespace, owner, description)


def _sending(source: Object) -> tuple[Destination, tuple[CloudEventAttributes, ...]]:
    """Where *source* sends, and what."""
    match source:
        case (
            PingSource(spec=spec, status=status)
            | ApiServerSource(spec=spec, status=status)
            | SinkBinding(spec=spec, status=status)
        ):
            return spec.sink, status.ce_attributes
        case _:
            return Destination(), ()


def _owner(source: Object) -> OwnerReference:
    info = info_of(type(source))
    return OwnerReference(
        api_version=info.api_version,
        kind=info.kind,
        name=source.metadata.name,
        uid=source.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
