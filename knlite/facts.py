"""Facts: what happened and why, as frozen values; logs, metrics and consoles are their readers.

Every decision that a person may ask about is published once, where it is made. ``at`` is the time
of day in UTC. A fact never carries the value of a Secret; of what clients send, see RequestDone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyChanged:
    """An object's Ready condition took another status, reason or message."""

    at: datetime
    kind: str
    namespace: str
    name: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDecided:
    """The autoscaler wants another number of instances."""

    at: datetime
    namespace: str
    service: str
    revision: str
    desired: int
    was: int
    why: str
    panic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PathChanged:
    """The activator came into the path of a revision's requests (``Proxy``) or left (``Serve``)."""

    at: datetime
    namespace: str
    service: str
    revision: str
    mode: Literal["Serve", "Proxy"]
    excess: float
    """Excess burst capacity, in requests."""
    why: str


InstanceState = Literal[
    "preparing",
    "starting",
    "started",
    "ready",
    "unready",
    "restarting",
    "failed",
    "waiting",
    "draining",
    "frozen",
    "thawed",
    "stopped",
    "completed",
    "gone",
]
"""What an instance goes through. ``started`` is when its program runs; ``unready`` when its
readiness probe fails after it was ready; ``restarting`` when it is being stopped to be started
again, as its liveness or startup probe failed; ``failed`` when it ended or could not start;
``waiting`` when it will be started again after a delay; ``frozen`` when it is kept in memory at
scale zero, ``thawed`` when it gets requests again after that; ``stopped`` when its programs have
ended but it is kept to be started again; ``completed`` when the program of a plain pod has ended
without an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceChanged:
    """An instance entered a state of its life."""

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    state: InstanceState
    why: str = ""
    reason: str = ""
    """One word as Kubernetes has it, where something went wrong: ``ExitCode1``, ``ErrImagePull``,
    ``CrashLoopBackOff``, ``Unhealthy``, ``Unschedulable``."""
    container: str = ""
    """The container that it is about; empty if it is about all of them."""
    restarts: int = 0
    """How often it had been started again before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFailed:
    """An attempt of a probe of a running container failed.

    The attempts of aggressive readiness probing before an instance is ready are not told: a program
    that starts fails dozens of them.
    """

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    container: str
    probe: Literal["Readiness", "Liveness", "Startup"]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationStep:
    """Something that takes time before a revision's first start: a build, a pull, an install."""

    at: datetime
    namespace: str
    service: str
    revision: str
    text: str
    share: float | None = None
    """How much of it is done, 0 to 1, where that is known; a step that goes on is told again."""


QUEUE_PROXY = "queue-proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that an instance wrote, without its line end."""

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    stream: Literal["stdout", "stderr"]
    text: str
    container: str = ""
    """Of the instance's containers, the one that wrote it: "" for the only one, and for its log
    of requests QUEUE_PROXY, the container that every pod of a cluster has for them."""
    request: str = ""
    """The X-Request-Id of the request that was being handled, where the function's runner knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """The stages of a request that found no instance, in seconds from its arrival."""

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    queued: float
    """Until the start of the instance was ordered."""
    started: float
    """Until the runtime had started it."""
    ready: float
    """Until its readiness probe passed."""
    first_byte: float
    """Until the first byte of its answer; 0 if there was none."""
    how: str = ""
    """``thawed`` when the instance had been frozen; else how it was started: ``forked``,
    ``spawned``, ``container``."""
    created: float = 0.0
    """Until its code was there and the runtime was told to start it."""
    forwarded: float = 0.0
    """Until the instance was handed the request."""
    request: str = ""
    """X-Request-Id as the instance got it."""


class RequestDone(msgspec.Struct, frozen=True, gc=False):
    """A request to a revision has been answered, or given up.

    There is one for every request, so it is made to cost little: it carries what the data plane has
    at hand, as it is, and whoever shows it makes text of that (``telemetry/accesslog.py``). Given
    by position it takes 0.15 us, by keyword ten times as long.

    *headers* are the client's and may hold secrets. None is to be shown but those that an access
    log names; so a reader never encodes this fact as a whole.
    """

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    """Empty if the request never got to one."""
    method: str
    status: int
    """The status the client saw; 0 if it left before there was one."""
    seconds: float
    """From its arrival to the end of its answer."""
    cold: bool
    """It found no instance that was ready."""
    why: str = ""
    """For answers that knlite gave itself: what happened."""
    configuration: str = ""
    target: bytes = b""
    """As the instance got it, with the query."""
    host: bytes = b""
    """As the client gave it."""
    http_version: str = "1.1"
    request_bytes: int = 0
    """Of the body, as are those of the answer."""
    response_bytes: int = 0
    waited: float = 0.0
    """Seconds until it was handed to an instance, or waited no longer; 0 if one had a free place at
    once."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    """Of the request, as the client sent them."""
    client: tuple[str, int] = ("", 0)
    """Address and port of the other end."""
    server: tuple[str, int] = ("", 0)
    """Address and port of the instance."""
    route_tag: str = "kn:disabled"
    """Which tag served it (Knative reference §5.4)."""
    request_id: bytes = b""
    """X-Request-Id as the instance got it."""
    first_byte: float = 0.0
    """Seconds from its arrival until the instance began to answer; 0 if it never did."""
    cold_start: ColdStart | None = None
    """The stages of the start that it waited for, if it was handed to the instance that started.
    As a fact of its own it is told of the first of those that waited alone."""
    trace: bytes = b""
    """The ``traceparent`` of its own span, which the instance got; empty while nobody traces."""


class EventAccepted(msgspec.Struct, frozen=True, gc=False):
    """A resource (a Broker, an InMemoryChannel) has taken an event, and keeps it.

    There is one for every event, so it is made by position, as RequestDone is. What it carries of
    the event is the user's and may be secret: who shows it shows names and attributes, and the data
    only to those who ask for it.
    """

    at: datetime
    kind: str
    namespace: str
    name: str
    resource_uid: str
    arrival: int
    """Microseconds since the epoch, no two alike: names this acceptance everywhere."""
    attributes: Mapping[str, str]
    """All but the content type, by lower-case name, extensions among them."""
    content_type: str | None
    data: bytes | None
    ttl: int
    """How many more times it may pass a broker; 0 where nobody counts."""
    headers: tuple[tuple[str, str], ...]
    """Those of the sender that travel with it."""
    sender: str
    """Who sent it: "127.0.0.1:5123 curl/8.1", "reply of trigger ns/t", "pingsource ns/p"."""
    replay_of: int = 0
    """The arrival of the event that it repeats."""
    only: tuple[str, ...] = ()
    """The uids of the egresses that it is for; empty when their filters decide."""
    engine: str = ""
    readers: tuple[str, ...] = ()
    """The uids of the egresses that get it."""
    again: bool = False
    """An earlier run has taken it, and this one goes on: told for those who have missed that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRefused:
    """A resource has refused what was sent to it."""

    at: datetime
    kind: str
    namespace: str
    name: str
    status: int
    why: str
    sender: str = ""
    event_id: str = ""
    """Empty where there was no event, or where nobody has looked at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStanding:
    """How what a server keeps of a resource, or of one of its egresses, stands now.

    Told by engines on servers when it changes, and for each resource and egress at the start of a
    run.
    """

    at: datetime
    kind: str
    """Of the resource, as are the next three."""
    namespace: str
    name: str
    resource_uid: str
    egress_uid: str = ""
    """Empty: it is about the resource itself (its topic, its exchange)."""
    ready: bool | None
    """None: it is being set up."""
    reason: str = ""
    """As it stands in the condition."""
    message: str = ""
    """In the server's words; if it is not ready, what to do as well. Never a secret."""
    part: str = ""
    """Which of several things of the resource it is about, ``dead letters``; empty: the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressChanged:
    """An egress (a Trigger, a Subscription) has appeared, has another filter, or is gone.

    What its filter says of an event is worked out when somebody asks, from the one that was in
    force when the event arrived (ADR 0023).
    """

    at: datetime
    since: int
    """Events with a later arrival are judged by this filter."""
    kind: str
    """Of the resource, as are the next three."""
    namespace: str
    name: str
    resource_uid: str
    egress_kind: str
    egress_namespace: str
    egress_name: str
    egress_uid: str
    filter_spec: str
    """``spec.filter`` and ``spec.filters``, as JSON."""
    gone: bool = False


DeliveryLeg = Literal["subscriber", "reply", "dead letter sink"]
DeliveryOutcome = Literal["delivered", "retrying", "dead-lettered", "failed", "waiting"]


class DeliveryAttempted(msgspec.Struct, frozen=True, gc=False):
    """One attempt to hand an event to a target has ended (or cannot begin yet: ``waiting``).

    The last of an arrival and an egress tells how it ended. There is at least one for every event
    and egress, so it is made by position.
    """

    at: datetime
    kind: str
    """Of the resource, as are the next two."""
    namespace: str
    name: str
    egress_kind: str
    egress_namespace: str
    egress_name: str
    egress_uid: str
    arrival: int
    event_id: str
    event_type: str
    leg: DeliveryLeg
    target: str
    attempt: int
    status: int
    """0 when there was no HTTP answer."""
    outcome: DeliveryOutcome
    why: str = ""
    seconds: float = 0.0
    instance: str = ""
    """Which instance of a service answered, where it is known."""
    next_in: float | None = None
    """Seconds until the next attempt, if there is one."""
    again: bool = False
    """The event may have been delivered before a crash."""
    body: bytes = b""
    """The beginning of an answer that is a failure."""
    entered: int = 0
    """What names the event, or the reply, where it has entered a broker or a channel here."""
    ended: bool = False
    """Nothing more happens to the event at this egress."""
    trace: str = ""
    """The ``traceparent`` of the attempt's own span, which the target got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSent:
    """A source has sent an event, or has given up after its last attempt."""

    at: datetime
    kind: str
    namespace: str
    name: str
    event_id: str
    event_type: str
    target: str
    attempts: int
    status: int
    """0 when there was no HTTP answer."""
    outcome: Literal["delivered", "failed"]
    why: str = ""
    seconds: float = 0.0
    """All attempts, and the pauses between them."""
    trace: str = ""
    """The ``traceparent`` that the event was sent with, of the span that stands for all that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileFailed:
    """What follows from an object could not be done; it will be tried again."""

    at: datetime
    kind: str
    namespace: str
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDoubted:
    """A DomainMapping's certificate is presented, but clients may refuse it."""

    at: datetime
    namespace: str
    host: str
    """The mapping's name."""
    secret: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence for the person at the terminal that belongs to no other fact."""

    at: datetime
    level: Literal["info", "warning", "error"]
    text: str


Fact = (
    ReadyChanged
    | ScaleDecided
    | PathChanged
    | InstanceChanged
    | ProbeFailed
    | PreparationStep
    | LogLine
    | ColdStart
    | RequestDone
    | EventAccepted
    | EventRefused
    | LogStanding
    | EgressChanged
    | DeliveryAttempted
    | SourceSent
    | ReconcileFailed
    | CertificateDoubted
    | Notice
)

Publish = Callable[[Fact], None]
"""Hands a fact to all readers; never waits, never raises."""
