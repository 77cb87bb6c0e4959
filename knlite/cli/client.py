"""Asks a running knlite through its admin port, and says plainly when none answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from knlite.cli.kubeconfig import find_access
from knlite.errors import InvalidInput, KnliteError, NotFound, Unreachable
from knlite.settings import Settings

if TYPE_CHECKING:
    # Not needed to run: it would bring all of Knative's configuration with it.
    from knlite.kinds.kindinfo import KindInfo

TIMEOUT = 10.0
"""Seconds."""
_FAMILIES: dict[int, type[KnliteError]] = {
    httpx.codes.BAD_REQUEST: InvalidInput,
    httpx.codes.NOT_FOUND: NotFound,
}


class Client:
    """The objects and logs of the knlite whose admin port is *port*."""

    def __init__(self, port: int) -> None:
        access = find_access(Settings(admin_port=port))
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        # No proxy of the environment: loopback is never reached through one.
        self._http = httpx.Client(
            base_url=access.server, headers=headers, timeout=TIMEOUT, trust_env=False
        )
        self._port = port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def listed(self, info: "KindInfo", namespace: str) -> list[dict[str, Any]]:
        """All objects of a kind, as documents ("" for all namespaces)."""
        items: list[dict[str, Any]] = self._document("GET", _path(info, namespace))["items"]
        return items

    def one(self, info: "KindInfo", namespace: str, name: str) -> dict[str, Any]:
        """One object. Raises ``NotFound``."""
        return self._document("GET", _path(info, namespace, name))

    def table(self, info: "KindInfo", namespace: str, name: str) -> dict[str, Any]:
        """One object, or all of a kind, as a Table of their columns. Raises ``NotFound``."""
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        return self._document("GET", _path(info, namespace, name), accept)

    def delete(self, info: "KindInfo", namespace: str, name: str) -> None:
        """Delete one object. Raises ``NotFound``."""
        self._document("DELETE", _path(info, namespace, name))

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

    def lines(self, path: str, params: Mapping[str, str]) -> Iterator[str]:
        """The lines of an answer as they come, until its end or that of its knlite."""
        timeout = httpx.Timeout(TIMEOUT, read=None)
        with (
            self._explained(),
            self._http.stream("GET", path, params=dict(params), timeout=timeout) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer)
            # Cut off: its knlite has ended.
            with suppress(httpx.RemoteProtocolError, httpx.ReadError):
                yield from (line for line in answer.iter_lines() if line)

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
        with self._explained():
            answer = self._http.request(
                method,
                path,
                params=dict(params or {}),
                content=event,
                headers=headers,
                timeout=TIMEOUT + seconds,
            )
        return self._read(answer)

    def _document(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        with self._explained():
            answer = self._http.request(method, path, headers=headers)
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._stranger(answer)
        return document

    def _refusal(self, answer: httpx.Response) -> KnliteError:
        try:
            message = str(answer.json()["message"])
        except (ValueError, KeyError, TypeError):
            return self._stranger(answer)
        return _FAMILIES.get(answer.status_code, KnliteError)(message)

    def _stranger(self, answer: httpx.Response) -> Unreachable:
        return Unreachable(
            f"what answers on port {self._port} is no knlite",
            cause=f"it answers with {answer.status_code} and no object of Kubernetes",
            fix="give the --admin-port of the knlite that you mean",
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as exc:
            raise Unreachable(
                f"no knlite answers on admin port {self._port}",
                cause=str(exc),
                fix="start one with: knlite up PATH (or give its --admin-port)",
            ) from exc


def _path(info: "KindInfo", namespace: str, name: str = "") -> str:
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace and info.namespaced else ""
    return f"{root}{scope}/{info.plural}" + (f"/{quote(name, safe='')}" if name else "")
