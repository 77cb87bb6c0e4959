"""Requests of knlite's own, without a connection."""

import asyncio

import pytest

from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.wire.exchange import Headers


class Taker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def body(self, data: bytes) -> None:
        self.told.append(data)

    def body_end(self, trailers: Headers) -> None:
        self.told.append("end")

    def client_left(self, why: str) -> None:
        self.told.append(f"left: {why}")

    def client_full(self) -> None:
        raise AssertionError

    def client_ready(self) -> None:
        raise AssertionError


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def exchange(anyio_backend: str) -> InnerExchange:
    over = asyncio.get_running_loop().create_future()
    return InnerExchange(b"POST", b"a.b", b"/x", [(b"ce-id", b"1")], b"data", 10, over)


async def test_it_looks_like_any_other(exchange: InnerExchange) -> None:
    assert (exchange.method, exchange.host, exchange.target) == (b"POST", b"a.b", b"/x")
    assert exchange.headers == [(b"Host", b"a.b"), (b"ce-id", b"1")]
    assert exchange.length == 4


async def test_the_body_comes_once_when_it_is_asked_for(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.attend(taker)
    assert taker.told == []
    exchange.receive()
    exchange.receive()
    assert taker.told == [b"data", "end"]


async def test_the_body_waits_while_reading_is_paused(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.pause()
    exchange.attend(taker)
    exchange.receive()
    assert taker.told == []
    exchange.resume()
    assert taker.told == [b"data", "end"]


async def test_an_answer_in_pieces_is_put_together(exchange: InnerExchange) -> None:
    exchange.start(200, b"OK", [(b"x", b"y")], length=None)
    exchange.write(b"ab")
    exchange.write(b"cd")
    assert not exchange.finished
    exchange.end()
    assert (exchange.finished, exchange.status, exchange.answer) == (True, 200, b"abcd")
    assert list(exchange.answered) == [(b"x", b"y")]


async def test_one_that_leaves_is_answered_no_more(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.attend(taker)
    exchange.leave("late")
    exchange.leave("later")
    exchange.receive()
    exchange.respond(200, (), b"data")
    assert taker.told == ["left: late"]
    assert (exchange.finished, exchange.started, exchange.failure) == (False, False, "late")


async def test_who_attends_later_hears_that_it_has_left(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.leave("late")
    exchange.attend(taker)
    assert taker.told == ["left: late"]


async def test_one_that_is_over_cannot_leave(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.attend(taker)
    exchange.respond(204)
    exchange.leave("late")
    assert taker.told == []
    assert exchange.finished


async def test_an_answer_may_be_cut_off(exchange: InnerExchange) -> None:
    exchange.start(200, b"OK", (), length=5)
    exchange.write(b"ab")
    exchange.abort()
    assert (exchange.finished, exchange.started) == (False, True)
    assert exchange.failure == "the answer was cut off"


async def test_an_answer_that_is_too_large_ends_the_request(exchange: InnerExchange) -> None:
    taker = Taker()
    exchange.attend(taker)
    exchange.start(200, b"OK", (), length=None)
    exchange.write(b"x" * 11)
    exchange.write(b"y")
    exchange.end()
    assert exchange.too_large
    assert not exchange.finished
    assert taker.told == ["left: the answer is larger than 10 bytes"]
    assert exchange.answer == b""
