"""Asks a running knlite through its admin port, and says plainly when none answers.

By the standard library alone: a verb takes half as long without a larger client of HTTP.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from knlite.cli.kubeconfig import find_access
from knlite.errors import Cause, Conflict, InvalidInput, KnliteError, NotFound, Unreachable
from knlite.settings import Settings

if TYPE_CHECKING:
    # Not needed to run: it would bring all of Knative's configuration with it.
    from knlite.kinds.kindinfo import KindInfo

TIMEOUT = 10.0
"""Seconds."""
_FAMILIES: dict[int, type[KnliteError]] = {
    HTTPStatus.BAD_REQUEST: InvalidInput,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidInput,
}
_BROKEN = (OSError, HTTPException)


class Client:
    """The objects and logs of the knlite whose admin port is *port*."""

    def __init__(self, port: int) -> None:
        access = find_access(Settings(admin_port=port))
        self._place = urlsplit(access.server).netloc
        self._headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        self._port = port

    def listed(self, info: "KindInfo", namespace: str) -> list[dict[str, Any]]:
        """All objects of a kind, as documents ("" for all namespaces)."""
        items: list[dict[str, Any]] = self._document("GET", _path(info, namespace))["items"]
        return items

    def one(self, info: "KindInfo", namespace: str, name: str) -> dict[str, Any]:
        """One object. Raises ``NotFound``."""
        return self._document("GET", _path(info, namespace, name))

    def found(self, info: "KindInfo", namespace: str, name: str) -> dict[str, Any] | None:
        """One object; None if there is none."""
        try:
            return self.one(info, namespace, name)
        except NotFound:
            return None

    def table(self, info: "KindInfo", namespace: str, name: str) -> dict[str, Any]:
        """One object, or all of a kind, as a Table of their columns. Raises ``NotFound``."""
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        return self._document("GET", _path(info, namespace, name), accept)

    def delete(self, info: "KindInfo", namespace: str, name: str) -> None:
        """Delete one object. Raises ``NotFound``."""
        self._document("DELETE", _path(info, namespace, name))

    def runtime(self) -> str:
        """What it runs functions with: ``docker`` or ``process``."""
        return self._told("runtime")

    def gateway(self) -> str:
        """The URL by which programs of this machine reach its gateway."""
        return self._told("url")

    def rest(self, namespace: str, service: str, seconds: float) -> None:
        """Have no instance of a Service; returns when it has none, which may take *seconds*.

        Raises ``NotFound``, and ``Conflict`` whose causes say ``RequestsUnderWay`` or ``Starting``
        where it is worth while to ask again.
        """
        path = f"/knlite/services/{quote(namespace, safe='')}/{quote(service, safe='')}/rest"
        with self._explained(), closing(self._connected(TIMEOUT + seconds)) as connection:
            connection.request("POST", path, headers=self._headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(answer.status, content)

    def _told(self, what: str) -> str:
        """What it says of itself."""
        try:
            return str(self._document("GET", "/knlite/gateway")[what])
        except (NotFound, KeyError) as exc:
            raise Unreachable(
                f"the knlite on admin port {self._port} is of another version",
                cause=f"it does not tell its {what}",
                fix="end it, and start it again with this one's knlite up",
            ) from exc

    def create(self, info: "KindInfo", namespace: str, tree: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object; returns it as it is kept. Raises ``InvalidInput``, ``Conflict``."""
        return self._written("POST", _path(info, namespace), tree)

    def replace(self, info: "KindInfo", namespace: str, tree: Mapping[str, Any]) -> dict[str, Any]:
        """Put *tree* in the place of the object of its name.

        Raises ``InvalidInput``, ``NotFound``, and ``Conflict`` if it is no longer the one that
        *tree* was made from.
        """
        return self._written("PUT", _path(info, namespace, tree["metadata"]["name"]), tree)

    def changes(
        self, info: "KindInfo", namespace: str, name: str, seconds: int
    ) -> Iterator[dict[str, Any]]:
        """One object as it is, and each time that it changes, for so many *seconds*."""
        params = {
            "watch": "true",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(max(1, seconds)),
        }
        for line in self.lines(_path(info, namespace), params):
            event = json.loads(line)
            if event["type"] in {"ADDED", "MODIFIED"}:
                yield event["object"]

    def _written(self, method: str, path: str, tree: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        return self._document(method, path, headers, json.dumps(tree).encode())

    def log_lines(
        self, namespace: str, service: str, *, follow: bool, tail: int | None
    ) -> Iterator[str]:
        """Log lines as JSON texts; with *follow* until the service's knlite ends."""
        params = {"follow": "true"} if follow else {}
        if tail is not None:
            params["tail"] = str(tail)
        yield from self.lines(
            f"/knlite/logs/{quote(namespace, safe='')}/{quote(service, safe='')}", params
        )

    def messages(
        self, path: str, params: Mapping[str, str], silence: float
    ) -> Iterator[tuple[str, str]]:
        """Server-sent events as they come, each its name and its data.

        Until the end of its knlite, or until it is silent for so many seconds.
        """
        name = ""
        for line in self.lines(path, params, silence):
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, value

    def lines(
        self, path: str, params: Mapping[str, str], silence: float | None = None
    ) -> Iterator[str]:
        """The lines of an answer as they come, until its end or that of its knlite.

        With *silence* also until nothing has come for so many seconds.
        """
        with self._explained(), closing(self._connected(TIMEOUT)) as connection:
            connection.request("GET", _target(path, params), headers=self._headers)
            connection.sock.settimeout(silence)
            answer = connection.getresponse()
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise self._refusal(answer.status, answer.read())
            # Cut off: its knlite has ended.
            with suppress(*_BROKEN):
                for line in answer:
                    text = line.decode(errors="replace").rstrip("\r\n")
                    if text:
                        yield text

    def asked(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        event: bytes | None = None,
        seconds: float = 0.0,
    ) -> dict[str, Any]:
        """What knlite's own API answers to *event* (in the JSON format), or to nothing.

        It may take *seconds* longer than others. Raises ``InvalidInput``, ``NotFound``,
        ``Unreachable``.
        """
        headers = {} if event is None else {"Content-Type": "application/cloudevents+json"}
        return self._document(method, _target(path, params or {}), headers, event, seconds)

    def _document(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float = 0.0,
    ) -> dict[str, Any]:
        with self._explained(), closing(self._connected(TIMEOUT + seconds)) as connection:
            connection.request(method, target, body, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(status, content)
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._stranger(status)
        return document

    def _connected(self, seconds: float) -> HTTPConnection:
        connection = HTTPConnection(self._place, timeout=TIMEOUT)
        connection.connect()
        connection.sock.settimeout(seconds)
        return connection

    def _refusal(self, status: int, content: bytes) -> KnliteError:
        try:
            document = json.loads(content)
            message = str(document["message"])
            listed = document.get("details", {}).get("causes", ())
            causes = [Cause(each["reason"], each["message"]) for each in listed]
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._stranger(status)
        if status == HTTPStatus.CONFLICT:
            return Conflict(message, causes=causes)
        return _FAMILIES.get(status, KnliteError)(message)

    def _stranger(self, status: int) -> Unreachable:
        return Unreachable(
            f"what answers on port {self._port} is no knlite",
            cause=f"it answers with {status} and no object of Kubernetes",
            fix="give the --admin-port of the knlite that you mean",
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN as exc:
            raise Unreachable(
                f"no knlite answers on admin port {self._port}",
                cause=str(exc) or type(exc).__name__,
                fix="start one with: knlite up PATH (or give its --admin-port)",
            ) from exc


def _target(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _path(info: "KindInfo", namespace: str, name: str = "") -> str:
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace and info.namespaced else ""
    return f"{root}{scope}/{info.plural}" + (f"/{quote(name, safe='')}" if name else "")
