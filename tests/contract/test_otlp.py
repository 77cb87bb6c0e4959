"""What leaves by OTLP, what waits for it, and what a person hears when it cannot leave."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import anyio
import anyio.to_thread
import pytest

from knlite.clock import SystemClock
from knlite.facts import RequestDone
from knlite.telemetry.otlp import outbox
from knlite.telemetry.otlp.choice import Target
from knlite.telemetry.otlp.outbox import Outbox
from knlite.telemetry.otlp.spans import Noted
from knlite.telemetry.otlp.spansending import SpanSending
from tests.e2e.executable import free_port
from tests.e2e.otlpreceiver import Receiver, receiving, receiving_grpc

AT = datetime(2026, 1, 2, tzinfo=UTC)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DONE = RequestDone(
    AT, "default", "hello", "hello-00001", "i", "GET", 200, 0.5, False,
    target=b"/a?key=secret", trace=f"00-{TRACE}-{SPAN}-01".encode(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "collector", "path"),
    [
        pytest.param("http/protobuf", receiving, "/v1/traces", id="http"),
        pytest.param("grpc", receiving_grpc, "", id="grpc"),
    ],
)
def test_a_span_arrives_as_it_is(
    protocol: str, collector: Callable[[], AbstractContextManager[Receiver]], path: str
) -> None:
    with collector() as receiver:
        sending = SpanSending(Target(protocol, receiver.url + path), "1.2", "one")
        assert sending.send([Noted(DONE)]) == ""
    (span,) = receiver.spans
    assert (span.name, span.kind, span.trace, span.span) == (
        "GET hello.default",
        "SERVER",
        TRACE,
        SPAN,
    )
    assert (span.end - span.start, span.failed) == (500_000_000, "")
    assert receiver.resource["service.version"] == "1.2"
    assert "secret" not in str(span)


def test_a_collector_that_is_not_there_is_named_in_the_systems_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    target = Target("http/protobuf", f"http://127.0.0.1:{free_port()}/v1/traces")
    assert SpanSending(target, "1.2", "one").send([Noted(DONE)]) == "Connection refused"


class Collector:
    """A send that the test lets go on, and fail."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.why = ""
        self.sent = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self, batch: Sequence[int]) -> str:
        assert self.open.wait(10)
        self.batches.append(list(batch))
        self.sent.release()
        return self.why


def outgoing(collector: Collector, said: list[str], delay: float = 0.01) -> Outbox[int]:
    return Outbox(
        SystemClock(), lambda _, text: said.append(text), collector,
        what="traces", where="http://c", delay=delay,
    )  # fmt: skip


async def test_what_waits_is_sent_together_and_the_rest_at_the_end() -> None:
    collector, said = Collector(), list[str]()
    box = outgoing(collector, said, delay=3600)
    for number in range(3):
        box.put(number)
    await box.aclose()
    assert collector.batches == [[0, 1, 2]]
    assert said == []


async def test_a_collector_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LEAVE", 0.05)
    collector, said = Collector(), list[str]()
    collector.open.clear()
    box = outgoing(collector, said)
    for number in range(outbox.MOST + outbox.BATCH + 7):
        box.put(number)
    with anyio.fail_after(10):
        await box.aclose()
    assert collector.batches == []
    collector.open.set()


async def test_what_does_not_fit_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST", 4)
    monkeypatch.setattr(outbox, "BATCH", 2)
    collector, said = Collector(), list[str]()
    collector.open.clear()
    box = outgoing(collector, said)
    for number in range(9):
        box.put(number)
    collector.open.set()
    await box.aclose()
    assert collector.batches == [[0, 1], [2, 3], [4, 5]]
    assert said == ["3 traces were lost: http://c is too slow"]


async def test_what_others_have_written_is_bounded_in_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "MOST_BYTES", 100)
    collector, said = Collector(), list[str]()
    box = outgoing(collector, said, delay=3600)
    for number in range(5):
        box.put(number, 40)
    box.put(5, 20)
    await box.aclose()
    assert collector.batches == [[0, 1, 5]]
    assert said == ["3 traces were lost: http://c is too slow"]


async def test_that_it_fails_is_said_once_and_that_it_works_again_too() -> None:
    collector, said = Collector(), list[str]()
    box = outgoing(collector, said)
    collector.why = "Connection refused"
    for number in range(3):
        box.put(number)
        assert await anyio.to_thread.run_sync(collector.sent.acquire, True, 10)
    collector.why = ""
    box.put(3)
    await box.aclose()
    assert said == [
        "traces cannot be sent to http://c: Connection refused; they are lost until it can",
        "traces are sent to http://c again",
    ]
