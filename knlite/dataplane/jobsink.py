"""The way in for events of JobSinks: a Job for each event, and a word on how it stands.

Source: Eventing data plane reference §1.1.
Differs: answers that refuse say why in their body, which upstream leaves empty.
"""

from collections.abc import Sequence
from typing import Literal, Protocol
from urllib.parse import quote, unquote

from knlite.clock import Clock
from knlite.dataplane.bearer import Denied, Tokens, denied, refusal
from knlite.dataplane.eventhosts import Answer
from knlite.errors import KnliteError
from knlite.eventing.authorization import Guard
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.httpcodec import decode
from knlite.eventing.trace import extensions
from knlite.facts import Publish

Standing = Literal["Complete", "Failed", "Running"]

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class Jobs(Protocol):
    """Who makes the Jobs."""

    def known(self, namespace: str, name: str) -> bool:
        """Whether there is a JobSink of that name."""
        ...

    def guard(self, namespace: str, name: str) -> Guard | None:
        """What a known JobSink asks of its senders."""
        ...

    def start(self, namespace: str, name: str, event: CloudEvent) -> None:
        """Have the Job of *event* at a known JobSink, once. Raises ``KnliteError``."""
        ...

    def standing(self, namespace: str, name: str, source: str, event_id: str) -> Standing | None:
        """How the Job of an event stands; None if there is none."""
        ...


class JobSinkIngress:
    """Answers at the host of all JobSinks."""

    def __init__(self, jobs: Jobs, clock: Clock, publish: Publish, tokens: Tokens) -> None:
        self._jobs = jobs
        self._clock = clock
        self._publish = publish
        self._tokens = tokens

    async def handle(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, client: str
    ) -> Answer:
        """Answer one request."""
        steps = [unquote(each) for each in path.partition("?")[0].strip("/").split("/")]
        match method, steps:
            case "GET", ["namespaces", namespace, "name", name, "sources", source, "ids", event_id]:
                return self._standing(namespace, name, source, event_id)
            case "GET", _:
                return _refused(400, "the path is no Location that a JobSink has given")
            case "POST", [namespace, name] if namespace and name:
                return self._start(namespace, name, headers, body, client)
            case "POST", _:
                return _refused(400, "the path must be /NAMESPACE/JOBSINK")
            case _:
                return _refused(400, "events are sent with POST")

    def _start(
        self,
        namespace: str,
        name: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        client: str,
    ) -> Answer:
        event = decode(headers, body)
        answer = self._taken(namespace, name, headers, event)
        if answer.status != 202:
            where = ("JobSink", namespace, name)
            no = Denied(answer.status, answer.body.decode().rstrip())
            self._publish(refusal(self._clock.wall(), where, no, client, event))
        return answer

    def _taken(
        self,
        namespace: str,
        name: str,
        headers: Sequence[tuple[str, str]],
        event: CloudEvent | Malformed,
    ) -> Answer:
        if not self._jobs.known(namespace, name):
            return _refused(400, f"there is no JobSink {namespace}/{name}")
        guard = self._jobs.guard(namespace, name)
        no = None if guard is None else denied(guard, headers, event, self._tokens)
        if no is not None:
            return _refused(no.status, no.why)
        if isinstance(event, Malformed):
            return _refused(400, f"not a CloudEvent: {event.why}")
        try:
            # The program gets no headers, but a file: there its trace has to be too.
            self._jobs.start(namespace, name, event.with_attributes(**extensions(headers)))
        except KnliteError as exc:
            return _refused(500, str(exc), reason=exc.what)
        return Answer(202, (("Location", location(namespace, name, event)),))

    def _standing(self, namespace: str, name: str, source: str, event_id: str) -> Answer:
        if not self._jobs.known(namespace, name):
            return _refused(400, f"there is no JobSink {namespace}/{name}")
        match self._jobs.standing(namespace, name, source, event_id):
            case "Complete":
                return Answer(200, (("Reason", "Complete"),))
            case "Failed":
                return Answer(400, (("Reason", "Failed"),))
            case "Running":
                return Answer(202, (("Location", _location(namespace, name, source, event_id)),))
            case None:
                return _refused(500, "there is no Job of that event", reason="NotFound")


def location(namespace: str, name: str, event: CloudEvent) -> str:
    """Where the Job of *event* is asked after."""
    return _location(namespace, name, event.attributes["source"], event.attributes["id"])


def _location(namespace: str, name: str, source: str, event_id: str) -> str:
    parts = ("namespaces", namespace, "name", name, "sources", source, "ids", event_id)
    return "".join(f"/{quote(each, safe='')}" for each in parts)


def _refused(status: int, why: str, *, reason: str = "") -> Answer:
    # A header is one line; what it may hold is up to whoever wrote the objects.
    told = " ".join(reason.split()).encode("ascii", "replace").decode()
    headers = (_TEXT, ("Reason", told)) if told else (_TEXT,)
    return Answer(status, headers, f"{why}\n".encode())
