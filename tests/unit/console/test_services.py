"""``/knlite/services``: lists, one service, restarts and requests, as a client sees them."""

import json
from collections.abc import Mapping, Sequence

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from knlite.apiserver.status import failure_of
from knlite.console.revisionview import Known
from knlite.console.services import ServiceRoutes, told_restart
from knlite.dataplane.invoking import Invoked
from knlite.errors import Conflict, KnliteError, Unreachable
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate
from knlite.kinds.serving.service import Service, ServiceSpec
from knlite.telemetry.scalehistory import ScaleHistory
from tests.unit.registry.desk import registry

ANSWER = Invoked(200, [("Content-Type", "text/plain")], b"hello", "", 0.0123456789, 0.02, "shop-x")


class Server:
    """The routes, and what they were asked to do."""

    def __init__(self) -> None:
        desk = registry()
        spec = RevisionSpec(containers=(Container(image="example.com/shop"),))
        shop = Service(
            metadata=ObjectMeta(name="shop", namespace="default"),
            spec=ServiceSpec(template=RevisionTemplate(spec=spec)),
        )
        desk.create(shop, user="test")
        self.answer: Invoked | KnliteError = ANSWER
        self.replaced: Mapping[str, int] | KnliteError = {"shop-00001": 2}
        self.asked: list[tuple[str, str, str, dict[str, str], bytes]] = []
        routes = ServiceRoutes(
            desk,
            known=Known(history=ScaleHistory(), origin=lambda _: "image", scale=lambda _: None),
            restart=self.restart,
            invoke=self.invoke,
        )
        self.app = Starlette(routes=routes.routes(), exception_handlers={KnliteError: refused})

    async def restart(self, namespace: str, name: str) -> Mapping[str, int]:
        if isinstance(self.replaced, KnliteError):
            raise self.replaced
        return self.replaced

    async def invoke(
        self,
        method: str,
        host: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        timeout: float,  # noqa: ASYNC109  what has come by then is an answer
        limit: int,
    ) -> Invoked:
        self.asked.append((method, host, target, dict(headers), body))
        if isinstance(self.answer, KnliteError):
            raise self.answer
        return self.answer

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
                return await http.request(method, f"/knlite/services{path}", json=body)

        return anyio.run(asked)


async def refused(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, KnliteError)
    return failure_of(exc)


@pytest.fixture
def server() -> Server:
    return Server()


def test_the_services_are_listed(server: Server) -> None:
    (row,) = server.ask("GET", "").json()["services"]
    assert (row["namespace"], row["name"], row["image"]) == ("default", "shop", "example.com/shop")


def test_one_service_is_told_and_one_that_is_not_there_is_not(server: Server) -> None:
    detail = server.ask("GET", "/default/shop").json()
    assert detail["service"]["name"] == "shop"
    assert detail["wanted"] == [{"latestRevision": True, "percent": 100}]
    answer = server.ask("GET", "/default/nix")
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


def test_a_restart_says_what_it_has_done(server: Server) -> None:
    answer = server.ask("POST", "/default/shop/restart").json()
    assert answer["replaced"] == {"shop-00001": 2}
    assert answer["message"] == "shop restarted: 2 instances of shop-00001"
    assert "is at zero" in told_restart("shop", {})
    server.replaced = Conflict("shop cannot be restarted", cause="it is being restarted already")
    assert server.ask("POST", "/default/shop/restart").status_code == 409


def test_a_request_goes_through_the_gateway_and_its_answer_is_told(server: Server) -> None:
    asked = {"method": "POST", "path": "orders?x=1", "headers": [["A", "b"]], "body": "ü"}
    answer = server.ask("POST", "/default/shop/invoke", asked).json()
    ((method, host, target, headers, body),) = server.asked
    assert (method, host) == ("POST", "shop.default.svc.cluster.local")
    assert (target, body, headers["A"]) == ("/orders?x=1", "ü".encode(), "b")
    assert headers["X-Request-Id"] == answer["request"]
    assert (answer["status"], answer["body"], answer["cut"]) == (200, "hello", "")
    assert (answer["firstByte"], answer["seconds"]) == (0.012346, 0.02)
    assert answer["headers"] == [["Content-Type", "text/plain"]]


def test_bytes_that_are_no_text_come_in_base64(server: Server) -> None:
    server.answer = ANSWER._replace(body=b"\x89PNG\xff")
    answer = server.ask("POST", "/default/shop/invoke", {}).json()
    assert "body" not in answer
    assert answer["bodyBase64"] == "iVBOR/8="


def test_text_that_is_cut_in_a_character_is_text(server: Server) -> None:
    server.answer = ANSWER._replace(body="aé".encode()[:-1], cut="it has more than 2 bytes")
    assert server.ask("POST", "/default/shop/invoke", {}).json()["body"] == "a"


def test_no_answer_and_no_request_are_told(server: Server) -> None:
    server.answer = Unreachable("shop has not answered", cause="its time was over")
    answer = server.ask("POST", "/default/shop/invoke", {})
    assert (answer.status_code, "its time was over" in answer.text) == (503, True)
    assert server.ask("POST", "/default/shop/invoke", {"method": "a b"}).status_code == 400
    assert json.loads(server.ask("POST", "/default/nix/invoke", {}).text)["code"] == 404
