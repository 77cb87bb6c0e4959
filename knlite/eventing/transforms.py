"""EventTransforms as the data plane sees them.

Source: knative-extensions/eventing-integrations ``transform-jsonata``; Eventing reference §13.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from knlite.eventing.authorization import Guard, guard_of
from knlite.eventing.channels import CLUSTER_DOMAIN
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.httpcodec import Headers, decode
from knlite.eventing.identities import account_in
from knlite.eventing.jsonformat import encode as encode_json
from knlite.eventing.jsonformat import is_document, is_json
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.names import child_name
from knlite.reconcile import View


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPlan:
    """One transform that takes events. *reply* is an expression for what *sink* answers."""

    expression: str
    sink: str | None = None
    reply: str | None = None
    discard: bool = False
    whose: tuple[str, str] = field(default=("", ""), compare=False)
    """Its namespace and name; these and what follows need no other process."""
    guard: Guard | None = field(default=None, compare=False)
    account: str = field(default="", compare=False)
    """The ServiceAccount in whose name it sends to its sink."""
    audience: str = field(default="", compare=False)
    """To whom a token for the sink is addressed; empty: it gets none."""


Transforms = Mapping[str, TransformPlan]
"""By host, as ``NAME-jsonata.NAMESPACE``."""

ENDING = "-jsonata"
"""Of the first label of such a host, before which a name that is long is shortened."""


def transform_host(namespace: str, name: str) -> str:
    """The name under which the transform *name* is known inside the cluster."""
    return f"{_short_host(namespace, name)}.{CLUSTER_DOMAIN}"


def document(headers: Headers, body: bytes) -> bytes:
    """The JSON text that an expression is applied to: the event that a message holds, or its body.

    Data that is no JSON is text. What is neither an event nor JSON is one text.
    """
    event = decode(headers, body)
    if isinstance(event, CloudEvent):
        return _event_document(event)
    return _json_or_text(body) if body else b"{}"


def transforms(view: View) -> Transforms:
    """The transforms that have an address."""
    return {
        _short_host(each.metadata.namespace, each.metadata.name): _plan(each, view)
        for each in view.listed(EventTransform, "")
        if each.status.address is not None and each.spec.jsonata is not None
    }


def _short_host(namespace: str, name: str) -> str:
    return f"{child_name(name, ENDING)}.{namespace}"


def _plan(transform: EventTransform, view: View) -> TransformPlan:
    spec = transform.spec
    reply = spec.reply
    account = account_in(transform.status.auth)
    return TransformPlan(
        expression=spec.jsonata.expression if spec.jsonata is not None else "",
        sink=transform.status.sink_uri or None,
        reply=reply.jsonata.expression if reply is not None and reply.jsonata is not None else None,
        discard=bool(reply is not None and reply.discard),
        whose=(transform.metadata.namespace, transform.metadata.name),
        guard=guard_of(transform, view),
        account=account,
        audience=(transform.status.sink_audience or "") if account else "",
    )


def _event_document(event: CloudEvent) -> bytes:
    data = event.data
    if not data or (is_json(event.content_type) and is_document(data)):
        return encode_json(event)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return encode_json(event)
    members: dict[str, str] = {**event.attributes, "data": text}
    if event.content_type is not None:
        members["datacontenttype"] = event.content_type
    return msgspec.json.encode(members)


def _json_or_text(body: bytes) -> bytes:
    return body if is_document(body) else msgspec.json.encode(body.decode(errors="replace"))
