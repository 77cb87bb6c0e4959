"""The sink of a source: found, or a condition that says that it is not.

Source: knative/eventing ``pkg/reconciler/{pingsource,apiserversource}``,
``pkg/apis/sources/v1/*_lifecycle.go``; Eventing reference §9, §10.
"""

from typing import TypeVar
from urllib.parse import urljoin

import msgspec

from knlite.eventing.destinations import Resolved, resolve
from knlite.kinds.conditions import ConditionEditor, find
from knlite.kinds.config.eventingfeatures import KREFERENCE_MAPPING
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.meta import Object
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.source import SINK_PROVIDED, SourceStatus
from knlite.reconcile import View

S = TypeVar("S", bound=SourceStatus)


def sink_missing(obj: Object) -> str:
    """What an Event says of a source whose sink is not there; empty if it is, or is not known."""
    match obj:
        case (
            PingSource(spec=spec, status=status)
            | RabbitmqSource(spec=spec, status=status)
            | ApiServerSource(spec=spec, status=status)
            | KafkaSource(spec=spec, status=status)
        ):
            wanted, provided = spec.sink, find(status.conditions, SINK_PROVIDED)
        case _:
            return ""
    if (
        wanted is None
        or provided is None
        or (provided.status, provided.reason) != ("False", "NotFound")
    ):
        return ""
    sink = destination.defaulted(wanted, obj.metadata.namespace)
    return "Sink not found: " + msgspec.json.encode(sink).decode()


def mapped(sink: Destination, namespace: str, view: View) -> Resolved | None:
    """Where *sink* is by config-kreference-mapping; None if that does not say.

    Only PingSources ask, as upstream. That the object exists is not asked.
    """
    ref = sink.ref
    if ref is None or not view.config.eventing.enabled(KREFERENCE_MAPPING):
        return None
    base = view.config.mapping.address(ref, ref.namespace or namespace)
    if base is None:
        return None
    url = urljoin(base, sink.uri) if sink.uri else base
    return Resolved(url, sink.ca_certs or None, sink.audience or None)


def with_sink(
    status: S,
    sink: Destination,
    namespace: str,
    conditions: ConditionEditor,
    view: View,
    found: Resolved | None = None,
) -> S | None:
    """*status* with the URL of *sink*, which may have been *found*; None, and a condition, if
    there is none.

    The message of the condition is empty, as upstream; an Event says which sink it is about.
    """
    where = found or resolve(sink, namespace, view)
    if not isinstance(where, Resolved):
        conditions.false(SINK_PROVIDED, "NotFound")
        return None
    conditions.true(SINK_PROVIDED)
    return msgspec.structs.replace(
        status, sink_uri=where.url, sink_ca_certs=where.ca_certs, sink_audience=where.audience
    )
