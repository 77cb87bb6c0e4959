"""Answers for EventTransforms: the result of the expression, or what the sink says to it.

Source: knative-extensions/eventing-integrations ``transform-jsonata/jsonata.js``; Eventing
reference §13. Differs: see ``docs/adr/0029``.
Not here: evaluating (``jsonata.py``); which transforms there are (``eventing/transforms.py``).
"""

import random
import re
from collections.abc import Sequence
from functools import partial

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, bearing, denied, refusal
from knlite.dataplane.eventhosts import Answer, Handler
from knlite.dataplane.jsonata import Evaluated, Evaluator, Failed
from knlite.dataplane.sender import Answered, Sender, Unanswered
from knlite.eventing import trace
from knlite.eventing.httpcodec import decode
from knlite.eventing.transforms import ENDING, TransformPlan, Transforms, document
from knlite.facts import Publish

SINK_TIMEOUT = 300.0
"""Seconds that a sink may take to answer."""

MOST_WAITING = 1000
"""Requests that one transform has at once, those included that wait for its sink."""
MOST_BYTES = 64 * 1024 * 1024
"""Of their bodies together; one that is larger alone waits for nobody."""

_RESULT, _REPLY = 0, 1
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")
_PROBES = {"/healthz": b"OK", "/readyz": b"READY"}


class _Transform:
    """One transform and its process."""

    def __init__(self, plan: TransformPlan) -> None:
        self.plan = plan
        self.waiting = 0
        """Requests that have no answer yet …"""
        self.bytes = 0
        """… and their bodies."""
        self.evaluator = Evaluator(
            [plan.expression] if plan.reply is None else [plan.expression, plan.reply]
        )


class EventTransforms:
    """All transforms of a run."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        publish: Publish,
        tokens: Tokens = NO_TOKENS,
        draw: random.Random | None = None,
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._publish = publish
        self._tokens = tokens
        self._bits = (draw or random.Random()).getrandbits
        self._transforms: dict[str, _Transform] = {}
        self._plans: Transforms = {}
        self._group: TaskGroup | None = None

    def transforms_changed(self, plans: Transforms) -> None:
        """These are the transforms now; one that has changed begins anew."""
        self._plans = plans
        if self._group is not None:
            self._adapt(self._group)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Evaluate until cancelled."""
        async with anyio.create_task_group() as self._group:
            self._adapt(self._group)
            task_status.started()
            await anyio.sleep_forever()

    def _adapt(self, group: TaskGroup) -> None:
        for key, known in tuple(self._transforms.items()):
            if self._plans.get(key) != known.plan:
                self._transforms.pop(key).evaluator.end()
            else:
                known.plan = self._plans[key]
        for key in self._plans.keys() - self._transforms.keys():
            made = self._transforms[key] = _Transform(self._plans[key])
            group.start_soon(made.evaluator.run)

    def at(self, namespace: str, stem: str) -> Handler:
        """Who answers at the host ``STEM-jsonata.NAMESPACE``."""
        return partial(self.receive, f"{stem}{ENDING}.{namespace}")

    async def receive(
        self,
        host: str,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        client: str,
    ) -> Answer:
        """Answer a request to the transform at *host*."""
        found = self._transforms.get(host)
        if found is None:
            return _said(404, f"there is no EventTransform at {host} that is ready")
        path = path.partition("?")[0]
        if method == "GET" and path in _PROBES:
            return Answer(200, (_TEXT,), _PROBES[path])
        if method != "POST" or path not in {"", "/"}:
            return _said(404, f"a transform takes POST /, not {method} {path}")
        plan = found.plan
        if plan.guard is not None:
            event = decode(headers, body)
            no = denied(plan.guard, headers, event, self._tokens)
            if no is not None:
                where = ("EventTransform", *plan.whose)
                self._publish(refusal(self._clock.wall(), where, no, client, event))
                return _said(no.status, no.why)
        full = found.bytes and found.bytes + len(body) > MOST_BYTES
        if full or found.waiting >= MOST_WAITING:
            why = f"{found.waiting} events wait for the transform already"
            return _said(503, why, ("Retry-After", "1"))
        found.waiting += 1
        found.bytes += len(body)
        try:
            return await self._transformed(found, headers, body)
        finally:
            found.waiting -= 1
            found.bytes -= len(body)

    async def _transformed(
        self, found: _Transform, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Answer:
        result = await found.evaluator.evaluate(_RESULT, document(headers, body))
        if isinstance(result, Failed):
            return _failed(result.why)
        if found.plan.sink is None:
            return _result(200, result)
        return await self._sent_on(found, found.plan.sink, result, headers)

    async def _sent_on(
        self,
        transform: _Transform,
        sink: str,
        result: Evaluated,
        headers: Sequence[tuple[str, str]],
    ) -> Answer:
        """What becomes of the sink's answer to *result*."""
        # It has no span of its own, so that what follows is below whoever sent the event.
        carried = trace.begun(headers, self._bits)
        sent = [("Content-Type", result.content_type), *carried]
        plan = transform.plan
        if plan.audience:
            sent.append(bearing(self._tokens, plan.whose[0], plan.account, plan.audience))
        outcome = await self._sender.send(sink, sent, result.body, SINK_TIMEOUT)
        if isinstance(outcome, Unanswered):
            return _failed(f"the sink {sink} does not answer: {outcome.why}")
        if 300 <= outcome.status < 400:
            return _failed(f"the sink {sink} answers with a redirect ({outcome.status})")
        if transform.plan.discard:
            return Answer(outcome.status)
        if transform.plan.reply is None:
            return Answer(outcome.status, _of_event(outcome), outcome.body)
        replied = document(outcome.headers, outcome.body)
        reply = await transform.evaluator.evaluate(_REPLY, replied)
        return _failed(reply.why) if isinstance(reply, Failed) else _result(outcome.status, reply)


def _of_event(outcome: Answered) -> tuple[tuple[str, str], ...]:
    """The headers that an event is made of."""
    return tuple(
        (name, value)
        for name, value in outcome.headers
        if name.lower() == "content-type" or name.lower().startswith("ce-")
    )


def _result(status: int, result: Evaluated) -> Answer:
    return Answer(status, (("Content-Type", result.content_type),), result.body)


def _failed(why: str) -> Answer:
    line = _UNPRINTABLE.sub(" ", why)
    return _said(500, line, ("Reason", line.encode("ascii", "replace").decode()))


def _said(status: int, why: str, *headers: tuple[str, str]) -> Answer:
    """A refusal in one line."""
    return Answer(status, (_TEXT, *headers), f"{why}\n".encode())
