"""RequestReplies as the data plane sees them.

Source: Eventing reference §13; knative/eventing ``pkg/requestreply``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from knlite.eventing.authorization import Guard, guard_of
from knlite.eventing.channels import CLUSTER_DOMAIN
from knlite.eventing.correlation import key_of
from knlite.eventing.identities import audience_of
from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.reconcile import View

HOST = f"request-reply.knative-eventing.{CLUSTER_DOMAIN}"
"""Where all of them are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReplyPlan:
    """One that takes requests. *broker* is in its own namespace; *timeout* is in seconds."""

    uid: str
    broker: str
    correlation_attribute: str
    reply_attribute: str
    timeout: float
    guard: Guard | None = None
    """What it asks of those who send requests: a token for itself, and what its Broker asks."""

    @property
    def key(self) -> str:
        """What its correlation ids are sealed with."""
        return key_of(self.uid)


RequestReplies = Mapping[tuple[str, str], RequestReplyPlan]
"""By namespace and name."""


def request_url(namespace: str, name: str) -> str:
    """Where the RequestReply *name* takes requests, from inside the cluster."""
    return f"http://{HOST}/{namespace}/{name}"


def reply_url(namespace: str, name: str) -> str:
    """Where replies to its requests are delivered."""
    return f"{request_url(namespace, name)}/reply"


def request_replies(view: View) -> RequestReplies:
    """Those that have an address."""
    return {
        (each.metadata.namespace, each.metadata.name): _plan(each, view)
        for each in view.listed(RequestReply, "")
        if each.status.address is not None
    }


def _plan(obj: RequestReply, view: View) -> RequestReplyPlan:
    spec = obj.spec
    return RequestReplyPlan(
        uid=obj.metadata.uid,
        broker=spec.broker_ref.name,
        correlation_attribute=spec.correlation_attribute,
        reply_attribute=spec.reply_attribute,
        timeout=_seconds(spec.timeout or ""),
        guard=_guard(obj, view),
    )


def _guard(obj: RequestReply, view: View) -> Guard | None:
    """Differs: upstream asks nothing here, and then sends to the Broker in its own name."""
    audience = audience_of(obj, view)
    broker = view.get(Broker, obj.metadata.namespace, obj.spec.broker_ref.name)
    guard = None if broker is None else guard_of(broker, view)
    return None if guard is None or audience is None else replace(guard, audience=audience)


def _seconds(timeout: str) -> float:
    try:
        return parse_iso(timeout)
    except InvalidDuration:
        # What is stored has passed admission; a store of another version may hold anything.
        return 30.0
