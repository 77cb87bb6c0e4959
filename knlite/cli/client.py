"""Asks a running knlite through its admin port, and says plainly when none answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from knlite.cli.kubeconfig import find_access
from knlite.errors import KnliteError, NotFound, Unreachable
from knlite.kinds.kindinfo import KindInfo
from knlite.settings import Settings

TIMEOUT = 10.0


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

    def listed(self, info: KindInfo, namespace: str) -> list[dict[str, Any]]:
        """All objects of a kind, as documents ("" for all namespaces)."""
        answer = self._request("GET", _path(info, namespace))
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def one(self, info: KindInfo, namespace: str, name: str) -> dict[str, Any]:
        """One object. Raises ``NotFound``."""
        document: dict[str, Any] = self._request("GET", _path(info, namespace, name)).json()
        return document

    def table(self, info: KindInfo, namespace: str, name: str) -> dict[str, Any]:
        """One object, or all of a kind, as a Table of their columns. Raises ``NotFound``."""
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        answer = self._request("GET", _path(info, namespace, name), accept)
        table: dict[str, Any] = answer.json()
        return table

    def delete(self, info: KindInfo, namespace: str, name: str) -> None:
        """Delete one object. Raises ``NotFound``."""
        self._request("DELETE", _path(info, namespace, name))

    def log_lines(
        self, namespace: str, service: str, *, follow: bool, tail: int | None
    ) -> Iterator[str]:
        """Log lines as JSON texts; with *follow* until the service's knlite ends."""
        params = {"follow": "true"} if follow else {}
        if tail is not None:
            params["tail"] = str(tail)
        timeout = httpx.Timeout(TIMEOUT, read=None)
        with self._explained():
            url = f"/knlite/logs/{namespace}/{service}"
            with self._http.stream("GET", url, params=params, timeout=timeout) as answer:
                yield from (line for line in answer.iter_lines() if line)

    def _request(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        with self._explained():
            answer = self._http.request(method, path, headers=headers)
        if answer.is_success:
            return answer
        try:
            message = str(answer.json()["message"])
        except (ValueError, KeyError, TypeError):
            message = f"unexpected answer {answer.status_code} from port {self._port}"
        raise (NotFound if answer.status_code == httpx.codes.NOT_FOUND else KnliteError)(message)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.RemoteProtocolError:
            # A followed log whose knlite has ended.
            return
        except httpx.HTTPError as exc:
            raise Unreachable(
                f"no knlite answers on admin port {self._port}",
                cause=str(exc),
                fix="start one with: knlite up PATH (or give its --admin-port)",
            ) from exc


def _path(info: KindInfo, namespace: str, name: str = "") -> str:
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    scope = f"/namespaces/{namespace}" if namespace and info.namespaced else ""
    return f"{root}{scope}/{info.plural}" + (f"/{name}" if name else "")
