import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from knlite.cli.top.feed import Begun, Feed, Lost, News, Told

PATIENCE = 20.0
"""Seconds."""


class Handler(BaseHTTPRequestHandler):
    """A feed that is cut after one message, for as often as somebody asks."""

    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b':\n\nevent: load\ndata: {"n":1}\n\n')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_feed_that_is_cut_says_so_and_begins_again(server: ThreadingHTTPServer) -> None:
    heard = queue.Queue[News]()
    feed = Feed(server.server_address[1], ("load", "events"), heard.put)
    feed.start()
    news = [heard.get(timeout=PATIENCE) for _ in range(6)]
    feed.stop()
    assert [type(each) for each in news] == [Begun, Told, Lost, Begun, Told, Lost]
    assert news[1] == Told("load", {"n": 1})
    assert "topics=load%2Cevents" in Handler.paths[-1]


def test_a_knlite_that_is_not_there_is_tried_again_less_and_less_often(
    server: ThreadingHTTPServer,
) -> None:
    server.shutdown()
    server.server_close()
    heard = queue.Queue[News]()
    feed = Feed(server.server_address[1], ("load",), heard.put)
    feed.start()
    first, second = (heard.get(timeout=PATIENCE) for _ in range(2))
    feed.stop()
    assert isinstance(first, Lost)
    assert isinstance(second, Lost)
    assert "no knlite answers" in first.why
    assert second.pause > first.pause
