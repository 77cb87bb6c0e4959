"""The order of decisions at the host of JobSinks (Eventing data plane reference §1.1)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from knlite.clock import LoopClock
from knlite.dataplane.bearer import NO_TOKENS
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.jobsink import JobSinkIngress, Standing
from knlite.errors import Forbidden
from knlite.eventing.authorization import Guard
from knlite.eventing.cloudevent import CloudEvent
from knlite.facts import EventRefused, Fact

EVENT = (("Ce-Specversion", "1.0"), ("Ce-Type", "t"), ("Ce-Source", "/a b"), ("Ce-Id", "1/2"))
LOCATION = "/namespaces/shop/name/reader/sources/%2Fa%20b/ids/1%2F2"


class Jobs:
    """One JobSink, ``shop/reader``."""

    def __init__(self, standing: Standing | None = None) -> None:
        self.started: list[str] = []
        self.traces: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.facts: list[Fact] = []
        self.guarded: Guard | None = None
        self.refusing = False
        self._standing = standing

    def known(self, namespace: str, name: str) -> bool:
        return (namespace, name) == ("shop", "reader")

    def start(self, namespace: str, name: str, event: CloudEvent) -> None:
        if self.refusing:
            raise Forbidden("jobs are\nforbidden", cause="the namespace is going")
        self.started.append(event.attributes["id"])
        self.traces.append(event.attributes.get("traceparent", ""))

    def guard(self, namespace: str, name: str) -> Guard | None:
        return self.guarded

    def standing(self, namespace: str, name: str, source: str, event_id: str) -> Standing | None:
        self.asked.append((source, event_id))
        return self._standing


async def asked(
    jobs: Jobs,
    method: str = "POST",
    path: str = "/shop/reader",
    headers: tuple[tuple[str, str], ...] = EVENT,
) -> Answer:
    clock = LoopClock(datetime(2026, 1, 1, tzinfo=UTC))
    ingress = JobSinkIngress(jobs, clock, jobs.facts.append, NO_TOKENS)
    return await ingress.handle(method, path, headers, b"", "client")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_an_event_starts_its_job_and_its_sender_learns_where_to_ask() -> None:
    jobs = Jobs()
    answer = await asked(jobs)
    assert (answer.status, answer.headers) == (202, (("Location", LOCATION),))
    assert jobs.started == ["1/2"]
    assert (await asked(jobs, path="/shop/reader/?x=y")).status == 202


@pytest.mark.anyio
@pytest.mark.parametrize("flags", ["01", "00"])
async def test_a_job_finds_its_trace_in_the_event_if_somebody_wants_it(flags: str) -> None:
    jobs = Jobs()
    sent = f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"
    await asked(jobs, headers=(*EVENT, ("Traceparent", sent)))
    assert jobs.traces == [sent if flags == "01" else ""]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(lambda jobs: asked(jobs, "PUT"), 400, id="method"),
        pytest.param(lambda jobs: asked(jobs, "OPTIONS"), 400, id="options"),
        pytest.param(lambda jobs: asked(jobs, path="/shop"), 400, id="short path"),
        pytest.param(lambda jobs: asked(jobs, path="/shop/reader/x"), 400, id="long path"),
        pytest.param(lambda jobs: asked(jobs, path="/"), 400, id="no path"),
        pytest.param(lambda jobs: asked(jobs, path="/shop/other"), 400, id="unknown"),
        pytest.param(lambda jobs: asked(jobs, headers=()), 400, id="no event"),
        pytest.param(lambda jobs: asked(jobs, "GET"), 400, id="no location"),
        pytest.param(
            lambda jobs: asked(jobs, "GET", LOCATION.replace("reader", "other")),
            400,
            id="location at an unknown one",
        ),
    ],
)
async def test_what_cannot_be_is_refused(
    make: Callable[[Jobs], Awaitable[Answer]], status: int
) -> None:
    jobs = Jobs()
    answer = await make(jobs)
    assert answer.status == status
    assert answer.body
    assert jobs.started == []


@pytest.mark.anyio
async def test_what_the_api_refuses_is_an_error_with_its_reason() -> None:
    jobs = Jobs()
    jobs.refusing = True
    answer = await asked(jobs)
    assert answer.status == 500
    assert ("Reason", "jobs are forbidden") in answer.headers
    (fact,) = jobs.facts
    assert isinstance(fact, EventRefused)
    assert (fact.name, fact.status, fact.event_id) == ("reader", 500, "1/2")
    assert fact.why.endswith("the namespace is going")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("standing", "status", "header"),
    [
        ("Complete", 200, ("Reason", "Complete")),
        ("Failed", 400, ("Reason", "Failed")),
        ("Running", 202, ("Location", LOCATION)),
        (None, 500, ("Reason", "NotFound")),
    ],
)
async def test_a_location_tells_how_the_job_stands(
    standing: Standing | None, status: int, header: tuple[str, str]
) -> None:
    jobs = Jobs(standing)
    answer = await asked(jobs, "GET", LOCATION, ())
    assert answer.status == status
    assert header in answer.headers
    assert jobs.asked == [("/a b", "1/2")]


@pytest.mark.anyio
async def test_a_guarded_one_starts_no_job_for_who_has_no_token() -> None:
    jobs = Jobs()
    jobs.guarded = Guard("sinks.knative.dev/jobsink/shop/reader", "shop", "allow-all")
    answer = await asked(jobs)
    assert answer.status == 401
    assert b"audience sinks.knative.dev/jobsink/shop/reader" in answer.body
    assert not jobs.started
    (fact,) = jobs.facts
    assert isinstance(fact, EventRefused)
    assert (fact.kind, fact.namespace, fact.name, fact.event_id) == (
        "JobSink",
        "shop",
        "reader",
        "1/2",
    )
    # How a Job stands is no secret, as upstream.
    assert (await asked(jobs, "GET", LOCATION)).status == 500
