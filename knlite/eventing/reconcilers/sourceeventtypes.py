"""EventTypes of sources: one for each kind of event that a source says it sends to an object.

What a source does not send any more goes, and so does everything when it sends to a plain URL.

Source: knative/eventing ``pkg/reconciler/source/duck``; Eventing reference §12.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from knlite.eventing.eventtypes import source_type
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.meta import Object
from knlite.kinds.ownership import owned_by
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.descriptions import DESCRIPTIONS
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.kinds.sources.source import CloudEventAttributes
from knlite.reconcile import Change, Create, Delete, Key, Outcome, View, key_of

SOURCES: Final[tuple[type[Object], ...]] = (
    PingSource,
    RabbitmqSource,
    ApiServerSource,
    ContainerSource,
    SinkBinding,
    KafkaSource,
)


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
    owner = owned_by(source)[0]
    for each in sent:
        if each.type:
            description = DESCRIPTIONS.get(each.type, "")
            yield source_type(each, sink.ref, source.metadata.namespace, owner, description)


def _sending(source: Object) -> tuple[Destination, tuple[CloudEventAttributes, ...]]:
    """Where *source* sends, and what."""
    match source:
        case (
            PingSource(spec=spec, status=status)
            | ApiServerSource(spec=spec, status=status)
            | ContainerSource(spec=spec, status=status)
            | SinkBinding(spec=spec, status=status)
            | KafkaSource(spec=spec, status=status)
        ):
            return spec.sink, status.ce_attributes
        case RabbitmqSource(spec=of_queue, status=status):
            return of_queue.sink or Destination(), status.ce_attributes
        case _:
            return Destination(), ()
