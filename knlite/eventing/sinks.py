"""The sink of a source: found, or a condition that says that it is not.

Source: knative/eventing ``pkg/reconciler/{pingsource,apiserversource}``,
``pkg/apis/sources/v1/*_lifecycle.go``; Eventing reference §9, §10.
"""

from typing import TypeVar

import msgspec

from knlite.eventing.destinations import Resolved, resolve
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.sources.source import SINK_PROVIDED, SourceStatus
from knlite.reconcile import View

S = TypeVar("S", bound=SourceStatus)


def with_sink(
    status: S, sink: Destination, namespace: str, conditions: ConditionEditor, view: View
) -> S | None:
    """*status* with the URL of *sink*; None, and a condition, if there is none.

    The message of the condition is empty, as upstream; an Event says which sink it is about.
    """
    found = resolve(sink, namespace, view)
    if not isinstance(found, Resolved):
        conditions.false(SINK_PROVIDED, "NotFound")
        return None
    conditions.true(SINK_PROVIDED)
    return msgspec.structs.replace(
        status, sink_uri=found.url, sink_ca_certs=found.ca_certs, sink_audience=found.audience
    )
