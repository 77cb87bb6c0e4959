"""Bodies of requests: JSON, YAML and the protobuf messages of some core kinds, as JSON trees.

Bodies come from anybody: their size, their depth and their numbers have bounds.

Source: Kubernetes API server (3 MiB, strict decoding of duplicate fields); RFC 8259.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from knlite.apiserver import protobuf
from knlite.apiserver.negotiation import media_types
from knlite.apiserver.refusals import TooLarge, Unsupported
from knlite.errors import InvalidInput
from knlite.kinds.patch.tree import MAX_DEPTH, is_deeper
from knlite.manifests.documents import Complaint, parse

MAX_BYTES = 3 * 1024 * 1024
JSON = frozenset(("", "application/json"))
YAML = frozenset(("application/yaml", "application/x-yaml", "text/yaml"))
PROTOBUF = "application/vnd.kubernetes.protobuf"
_TOO_DEEP = f"the body is nested deeper than {MAX_DEPTH} levels"


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body. *duplicates* are the paths of fields that stand in it more than once."""

    tree: Any
    duplicates: tuple[str, ...] = ()


def media_type(request: Request) -> str:
    """The media type of the body, without parameters; empty if the client does not say."""
    header = request.headers.get("content-type", "")
    return next((name for name, _ in media_types(header)), "")


async def read_bytes(request: Request, limit: int = MAX_BYTES) -> bytes:
    """The body, of at most *limit* bytes. Raises ``TooLarge``."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"Request entity too large: limit is {limit}")
            chunks.append(chunk)
    except ClientDisconnect as exc:
        raise InvalidInput("the client went away before its request was complete") from exc
    return b"".join(chunks)


async def read_body(request: Request) -> Body:
    """The body as its media type says. Raises ``InvalidInput``, ``TooLarge``, ``Unsupported``."""
    kind = media_type(request)
    body = await read_bytes(request)
    if kind in JSON:
        return decoded_json(body)
    if kind in YAML:
        return decoded_yaml(body)
    if kind == PROTOBUF:
        try:
            return Body(protobuf.decode(body))
        except protobuf.Unknown as exc:
            raise Unsupported(str(exc)) from exc
        except protobuf.Malformed as exc:
            raise InvalidInput(f"the body is not valid protobuf: {exc}") from exc
    raise Unsupported(
        f"the body of the request was in an unknown format - accepted media types include:"
        f' application/json, application/yaml, {PROTOBUF}, not "{kind}"'
    )


def decoded_json(body: bytes) -> Body:
    """The value that *body* holds. Raises ``InvalidInput``."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as exc:
        raise InvalidInput(f"couldn't parse the body as JSON: {exc}") from exc
    except RecursionError as exc:
        raise InvalidInput(_TOO_DEEP) from exc
    # Without so many brackets there is no need to look.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_deeper(tree, MAX_DEPTH):
        raise InvalidInput(_TOO_DEEP)
    return Body(tree, tuple(_duplicates(body)))


def decoded_yaml(body: bytes) -> Body:
    """The one document in *body*. Raises ``InvalidInput``."""
    try:
        text = body.decode()
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"the body is not UTF-8: {exc.reason} at byte {exc.start}") from exc
    documents = list(parse(text, "body"))
    for document in documents:
        if isinstance(document, Complaint):
            raise InvalidInput(f"couldn't parse the body as YAML: {document.message}")
    if len(documents) != 1:
        raise InvalidInput(f"the body holds {len(documents)} YAML documents instead of one")
    (document,) = documents
    return Body(getattr(document, "tree", None))


class _Doubled(dict[str, Any]):
    """A JSON object in which *names* stand more than once."""

    names: tuple[str, ...] = ()


def _duplicates(body: bytes) -> Iterator[str]:
    """Paths of fields that stand more than once in their object."""
    seen = False

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal seen
        tree = dict(pairs)
        if len(tree) == len(pairs):
            return tree
        seen = True
        doubled = _Doubled(tree)
        counts = Counter(name for name, _ in pairs)
        doubled.names = tuple(name for name in tree if counts[name] > 1)
        return doubled

    tree = json.loads(body, object_pairs_hook=made)
    if seen:
        yield from _paths(tree, "")


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Doubled):
        yield from (f"{path}.{name}" if path else name for name in value.names)
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _paths(member, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _paths(member, f"{path}[{index}]")
