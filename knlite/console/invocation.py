"""A request to a service as a person has written it in the page, and the answer as it is shown.

What may not stand in a request is refused here: no parser comes after.

Source: RFC 9110 §5.1, §5.5, §9.1; RFC 9112 §3.2.
Not here: how it is sent (``dataplane/invoking.py``).
"""

import re
import uuid
from collections.abc import Awaitable, Sequence
from typing import Protocol
from urllib.parse import quote, urlsplit

import msgspec

from knlite.console.serviceview import revisions_of
from knlite.errors import InvalidInput, NotFound
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.reconcile import View
from knlite.serving.vantage import CLUSTER_DOMAIN

MAX_ANSWER = 1024 * 1024
"""Bytes of a body that a page shows."""
SECONDS = 310.0
"""A little more than a request may take by Knative's default."""
MAX_REQUEST = 4 * 1024 * 1024
MAX_HEADERS = 100

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OWN = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""What belongs to a connection, which this request has none of."""
_AS_IS = "!$%&'()*+,/:;=?@[]~"
_SITE = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)
"""What of a whole URL does not belong to its path."""


class Invocation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the page sends. Headers are pairs, so that one may stand there twice."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    tag: str = ""
    """By which tag of its traffic; empty for its main address."""
    revision: str = ""
    """A revision to ask whatever its share of the traffic is."""


class Answer(Protocol):
    """What came back."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def cut(self) -> str: ...
    @property
    def first_byte(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def instance(self) -> str: ...


class Invoke(Protocol):
    """Who hands requests to the gateway."""

    def __call__(
        self,
        method: str,
        host: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        timeout: float,
        limit: int,
    ) -> Awaitable[Answer]:
        """Ask. Raises ``Unreachable`` if no answer has begun."""
        ...


def decoded(data: bytes) -> Invocation:
    """What *data* says, which can be written as a request. Raises ``InvalidInput``."""
    try:
        found = msgspec.json.decode(data, type=Invocation)
    except msgspec.MsgspecError as exc:
        raise InvalidInput("the request cannot be read", cause=str(exc)) from exc
    if not _TOKEN.fullmatch(found.method) or found.method == "CONNECT":
        raise InvalidInput(f'"{found.method[:20]}" is no method', fix="write for example GET")
    if len(found.headers) > MAX_HEADERS:
        raise InvalidInput(f"there are more than {MAX_HEADERS} headers")
    for name, value in found.headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            # Not the value: it may be a password.
            raise InvalidInput(
                f'the header "{name[:40]}" cannot be sent',
                cause="its name or its value has a character that no header may have",
            )
        if name.lower() in _OWN:
            raise InvalidInput(
                f"the header {name} cannot be given", cause="knlite writes it itself", fix="omit it"
            )
    return found


def named(headers: Sequence[tuple[str, str]]) -> tuple[Sequence[tuple[str, str]], str]:
    """*headers* with an X-Request-Id, and that id: by it the request is found in the list."""
    given = next((value for name, value in headers if name.lower() == "x-request-id"), "")
    if given:
        return headers, given
    made = str(uuid.uuid4())
    return (*headers, ("X-Request-Id", made)), made


def target_of(path: str) -> str:
    """The request target that a person means by *path*, which may be a whole URL.

    Whatever stands there becomes a path here, never a URL: a target that is one would tell the
    function of another host than the service's. Raises ``InvalidInput``.
    """
    text = _SITE.sub("", path.strip()).partition("#")[0]
    if not text.startswith("/"):
        text = f"/{text}"
    if text.startswith("//"):
        raise InvalidInput(f'"{path[:80]}" is no path', fix="begin it with one slash")
    return quote(text, safe=_AS_IS)


def host_of(view: View, namespace: str, name: str, asked: Invocation) -> str:
    """Whom to ask. Raises ``NotFound``."""
    service = view.get(Service, namespace, name) or view.get(Route, namespace, name)
    if service is None:
        raise NotFound(f"there is no service {name} in namespace {namespace}")
    if asked.revision:
        if all(each.metadata.name != asked.revision for each in revisions_of(service, view)):
            raise NotFound(f"{name} has no revision {asked.revision}")
        return f"{asked.revision}.{namespace}.{CLUSTER_DOMAIN}"
    if asked.tag:
        url = next((each.url for each in service.status.traffic if each.tag == asked.tag), "")
        host = urlsplit(url).hostname
        if not host:
            raise NotFound(f'{name} has no traffic with the tag "{asked.tag}"')
        return host
    return f"{name}.{namespace}.{CLUSTER_DOMAIN}"
