"""What engines answer when they do not take an archive, as they say it over HTTP.

Pins Knative Functions reference Part 6 (limits and traps): Docker refuses inside the stream of a
request that has succeeded, Podman with a status. The engine here is a server that only refuses.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import docker
import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.imageconfig import BaseImage, LayerLine, ProgramConfig, config_of
from knlite.runtime.docker.layer import File, layer
from knlite.runtime.docker.loading import Loader, Way

BASE = BaseImage(id="", layers=(), env=(), architecture="amd64")


class Engine(BaseHTTPRequestHandler):
    """Holds nothing, takes nothing, and counts what it is asked."""

    protocol_version = "HTTP/1.1"
    refusal: tuple[int, dict[str, Any]]
    asked: list[str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/images/json"):
            self._answer(200, [])
        else:
            self._answer(404, {"message": "no such image"})

    def do_POST(self) -> None:
        path = self.path.partition("?")[0].rpartition("/")[2]
        self.asked.append(path)
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(*self.refusal)

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def engine(refusal: tuple[int, dict[str, Any]]) -> Iterator[tuple[docker.APIClient, list[str]]]:
    asked: list[str] = []
    handler = type("Refusing", (Engine,), {"refusal": refusal, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    client = docker.APIClient(f"http://127.0.0.1:{server.server_port}", version="1.41")
    try:
        yield client, asked
    finally:
        client.close()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    "refusal",
    [
        (200, {"error": "open 0.tar: no such file or directory"}),
        (500, {"message": "payload does not match any of the supported image formats"}),
    ],
    ids=["inside the stream", "by a status"],
)
def test_every_way_is_tried_and_the_last_refusal_is_told(
    refusal: tuple[int, dict[str, Any]],
) -> None:
    program = ProgramConfig(command=("/f",), env={}, working_dir="/", user="1000:1000")
    made = layer([("f", File(b"x", executable=True))], "function")
    config = config_of(BASE, [LayerLine(made.diff_id, made.made_by)], program)
    with engine(refusal) as (client, asked):
        loader = Loader(client)
        with pytest.raises(InstanceFailed) as failed:
            loader.load("knlite.local/f:latest", "/f", BASE, [made], config, print)
    made.close()
    assert asked == ["load", "load", "build"]
    assert loader.way is Way.THIN
    assert next(iter(refusal[1].values())) in failed.value.cause
