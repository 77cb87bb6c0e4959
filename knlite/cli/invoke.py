"""``knlite invoke``: a request to a Service, or an event to whatever takes one, and the answer."""

import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from knlite.cli.aim import Aim, aim
from knlite.cli.client import Client
from knlite.cli.exchange import Call, Headers, Reply, exchanged
from knlite.cli.written import body_of, kind_of, written_event
from knlite.errors import InvalidInput
from knlite.eventing.httpcodec import encode_binary

SECONDS = 310.0
"""For the head of the answer and for each part of it: a little more than a request may take by
Knative's default (``timeoutSeconds``), so that the gateway's own answer is seen."""
TAKEN = 202
"""How a broker says that it has an event; any other answer is none of a broker's."""
_METHOD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
TYPE, SOURCE = "knlite.invoked", "/knlite/invoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person has written of a request or an event; empty is not given."""

    data: str = ""
    content_type: str = ""
    method: str = ""
    headers: Sequence[str] = field(default=(), repr=False)
    type: str = ""
    source: str = ""
    id: str = ""
    subject: str = ""
    extensions: Sequence[str] = ()

    @property
    def event(self) -> bool:
        """Whether any of it is an event's."""
        return any((self.type, self.source, self.id, self.subject, self.extensions))


def invoke(
    to: str,
    namespace: str,
    path: str,
    written: Written,
    admin_port: int,
    *,
    as_json: bool,
    verbose: bool,
) -> int:
    """Send it, print the answer; the exit code. Raises ``InvalidInput``, ``NotFound``, …"""
    if not to:
        raise InvalidInput(
            "nothing is named to invoke",
            fix="write knlite invoke SERVICE, or --to service/NAME, broker/NAME or a URL",
        )
    call_headers = [header_of(text) for text in written.headers]
    where = aim(to, namespace, path, Client(admin_port))
    call = call_of(where, written, call_headers)
    began = perf_counter()
    with exchanged(call, SECONDS) as reply:
        done = reply.status == TAKEN if where.takes_events else 200 <= reply.status < 300
        if as_json:
            body = reply.body()
            json.dump(described(call, reply, body, perf_counter() - began), sys.stdout, indent=2)
            sys.stdout.write("\n")
        else:
            if verbose or not done:
                sys.stderr.write(_head(reply, verbose=verbose))
                sys.stderr.flush()
            print_body(reply)
    return 0 if done else 1


def call_of(where: Aim, written: Written, headers: Sequence[tuple[str, str]]) -> Call:
    """The request for *where*. Raises ``InvalidInput``."""
    method = written.method.upper()
    if method and not _METHOD.issuperset(method):
        raise InvalidInput(f'"{written.method}" is no method', fix="write for example --method PUT")
    if written.event or where.takes_events:
        event = written_event(
            {
                "type": written.type or TYPE,
                "source": written.source or SOURCE,
                "id": written.id,
                "subject": written.subject,
            },
            extensions=written.extensions,
            data=written.data,
            content_type=written.content_type,
        )
        told, content = encode_binary(event)
        return Call(
            url=where.url,
            method=method or "POST",
            headers=_joined(told, headers),
            body=content,
            through=where.through,
        )
    body = body_of(written.data) if written.data else None
    if body is None:
        return Call(
            url=where.url,
            method=method or "GET",
            headers=tuple(headers),
            # A POST without a body says so (RFC 9110 §8.6).
            body=b"" if method in {"POST", "PUT", "PATCH"} else None,
            through=where.through,
        )
    kind = written.content_type or kind_of(body)
    return Call(
        url=where.url,
        method=method or "POST",
        headers=_joined([("Content-Type", kind)], headers),
        body=body,
        through=where.through,
    )


def header_of(text: str) -> tuple[str, str]:
    """``NAME: VALUE``. Raises ``InvalidInput``."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    whole = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not (colon and whole and value.isprintable()):
        # Not the value: it may be a password.
        raise InvalidInput(
            f'the header "{name}" cannot be read', fix="write for example -H 'X-Name: value'"
        )
    return name, value


def described(call: Call, reply: Reply, body: bytes, seconds: float) -> dict[str, object]:
    """An exchange for a script: texts as they are, other bytes in base64, times in seconds."""
    try:
        content: dict[str, object] = {"body": body.decode()}
    except UnicodeDecodeError:
        content = {"bodyBase64": base64.b64encode(body).decode()}
    stages = {name: round(ms / 1000, 6) for name, ms in reply.stages().items()}
    return {
        "method": call.method,
        "url": call.url,
        "status": reply.status,
        "headers": [list(header) for header in reply.headers],
        **content,
        "seconds": {"firstByte": round(reply.first_byte, 6), "total": round(seconds, 6)},
        "coldStart": stages or None,
    }


def print_body(reply: Reply) -> None:
    """Write the body to standard output as it comes; a terminal gets a line end behind text."""
    out = sys.stdout.buffer
    last = b"\n"
    for piece in reply.pieces():
        out.write(piece)
        out.flush()
        last = piece[-1:]
    if last != b"\n" and sys.stdout.isatty():
        out.write(b"\n")
        out.flush()


def _head(reply: Reply, *, verbose: bool) -> str:
    stages = ", ".join(f"{name} {ms:.0f} ms" for name, ms in reply.stages().items())
    cold = f" (cold start: {stages})" if stages else ""
    lines = [f"{reply.status} {reply.reason} after {1000 * reply.first_byte:.0f} ms{cold}"]
    if verbose:
        lines += [f"{name}: {value}" for name, value in reply.headers]
    return "\n".join(lines) + "\n"


def _joined(own: Sequence[tuple[str, str]], given: Sequence[tuple[str, str]]) -> Headers:
    """Those that were *given* win over those of the same name that we would send."""
    names = {name.lower() for name, _ in given}
    return (*(header for header in own if header[0].lower() not in names), *given)
