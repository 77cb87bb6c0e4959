"""Tokens of ServiceAccounts: their ``token`` subresource, and where anybody finds the keys.

``kubectl create token`` asks for one.

Source: Kubernetes authentication/v1 TokenRequest (``pkg/registry/core/serviceaccount/storage``,
``pkg/apis/authentication/validation``), "Service account issuer discovery".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from knlite.apiserver.bodies import read_body
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import MethodNotAllowed
from knlite.errors import InvalidInput, NotFound
from knlite.issuer import ISSUER, KEYS_PATH, LIFETIME, Issuer
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.registry.registry import Registry

GROUP, VERSION, KIND = "authentication.k8s.io", "v1", "TokenRequest"
SHORTEST = 600
LONGEST = 1 << 32


class _Spec(msgspec.Struct, rename="camel"):
    audiences: list[str] = msgspec.field(default_factory=list)
    expiration_seconds: int | None = None
    bound_object_ref: dict[str, Any] | None = None


class Tokens:
    """The answers about tokens."""

    def __init__(self, registry: Registry, issuer: Issuer) -> None:
        self._registry = registry
        self._issuer = issuer

    def routes(self) -> tuple[Route, ...]:
        """Where the keys are published."""
        return (
            Route("/.well-known/openid-configuration", self._discovery),
            Route(KEYS_PATH, self._keys),
        )

    async def request(self, request: Request, target: Target, now: datetime) -> Response:
        """A new token. Raises ``NotFound``, ``InvalidInput``, ``MethodNotAllowed``."""
        if request.method != "POST":
            raise MethodNotAllowed(f"a token is created, not {request.method}")
        namespace, name = target.namespace, target.name
        if self._registry.view.get(ServiceAccount, namespace, name) is None:
            raise NotFound(f'serviceaccounts "{name}" not found')
        spec = _spec((await read_body(request)).tree, name)
        seconds = LIFETIME if spec.expiration_seconds is None else spec.expiration_seconds
        audiences = spec.audiences or [ISSUER]
        token = self._issuer.issue(namespace, name, audiences, seconds, _bound(spec))
        ends = now + timedelta(seconds=seconds)
        told = {"audiences": audiences, "expirationSeconds": seconds}
        if spec.bound_object_ref is not None:
            told["boundObjectRef"] = spec.bound_object_ref
        answer = {
            "kind": KIND,
            "apiVersion": f"{GROUP}/{VERSION}",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": _text(now)},
            "spec": told,
            "status": {"token": token, "expirationTimestamp": _text(ends)},
        }
        return JSONResponse(answer, 201)

    async def _discovery(self, request: Request) -> Response:
        return JSONResponse(self._issuer.discovery(str(request.url.replace(path=KEYS_PATH))))

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse(self._issuer.keys(), media_type="application/jwk-set+json")


def _spec(tree: object, name: str) -> _Spec:
    given = tree.get("spec") if isinstance(tree, Mapping) else None
    try:
        spec = msgspec.convert(given or {}, _Spec)
    except msgspec.ValidationError as exc:
        raise InvalidInput(f"the spec of a {KIND} cannot be read: {exc}") from exc
    seconds = spec.expiration_seconds
    if seconds is not None and not SHORTEST <= seconds <= LONGEST:
        bound = "less than 10 minutes" if seconds < SHORTEST else "larger than 2^32 seconds"
        raise InvalidInput(
            f'{KIND}.{GROUP} "{name}" is invalid: spec.expirationSeconds: Invalid value: {seconds}:'
            f" may not specify a duration {bound}"
        )
    return spec


def _bound(spec: _Spec) -> dict[str, object]:
    """The object that the token is for, as its claims name it."""
    ref = spec.bound_object_ref or {}
    kind, name = ref.get("kind"), ref.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        return {}
    return {kind.lower(): {"name": name, **({"uid": ref["uid"]} if ref.get("uid") else {})}}


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
