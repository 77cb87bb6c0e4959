"""A person's request through the gateway: whole answers, beginnings of answers, and none."""

import anyio
import pytest

from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.invoking import Invoked, Invoker
from knlite.errors import Unreachable

pytestmark = pytest.mark.anyio


class Gateway:
    """Answers as a test says."""

    def __init__(self) -> None:
        self.asked: list[InnerExchange] = []

    def ask(self, exchange: InnerExchange) -> None:
        self.asked.append(exchange)
        exchange.instance = "shop-00001-x"


async def invoke(gateway: Gateway, timeout: float = 5.0, limit: int = 10) -> Invoked:  # noqa: ASYNC109
    return await Invoker(gateway.ask).invoke(
        "GET", "shop.default", "/x", [("A", "b")], b"", timeout=timeout, limit=limit
    )


class Answering(Gateway):
    def __init__(self, *pieces: bytes, ends: bool = True) -> None:
        super().__init__()
        self.pieces = pieces
        self.ends = ends

    def ask(self, exchange: InnerExchange) -> None:
        super().ask(exchange)
        exchange.start(200, b"OK", [(b"X-Y", b"z")], length=None)
        for piece in self.pieces:
            exchange.write(piece)
        if self.ends:
            exchange.end()


async def test_an_answer_comes_whole() -> None:
    gateway = Answering(b"hello", b"!")
    found = await invoke(gateway)
    assert (found.status, found.body, found.cut) == (200, b"hello!", "")
    assert list(found.headers) == [("X-Y", "z")]
    assert found.instance == "shop-00001-x"
    assert (b"Host", b"shop.default") in gateway.asked[0].headers


async def test_of_an_answer_that_is_too_long_the_beginning_comes() -> None:
    found = await invoke(Answering(b"12345678", b"9abcdef", b"more"))
    assert (found.status, found.body) == (200, b"123456789a")
    assert "more than 10 bytes" in found.cut


async def test_of_an_answer_that_never_ends_what_there_is_comes() -> None:
    found = await invoke(Answering(b"tick", ends=False), timeout=0.02)
    assert (found.status, found.body) == (200, b"tick")
    assert "its time was over" in found.cut


async def test_no_answer_is_said() -> None:
    with pytest.raises(Unreachable) as refused:
        await invoke(Gateway(), timeout=0.02)
    assert "its time was over" in refused.value.cause


async def test_whoever_asks_and_goes_takes_the_request_along() -> None:
    gateway = Gateway()
    with anyio.move_on_after(0.02):
        await invoke(gateway)
    assert gateway.asked[0].gone == "whoever asked has gone"
