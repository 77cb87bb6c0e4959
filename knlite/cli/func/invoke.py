"""``func invoke``: a request to the function that runs here, else to the deployed one.

Source: Knative Functions reference §4.6.
Differs: an event that is answered with a failure is one; func takes it for a success and prints
nothing.
"""

import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knlite.cli.aim import Aim, service_url
from knlite.cli.client import Client
from knlite.cli.eventtext import event_text
from knlite.cli.exchange import Call, Reply, exchanged
from knlite.cli.func.defaults import namespace_of
from knlite.cli.func.opened import Opened
from knlite.cli.invoke import print_body
from knlite.cli.written import read_file
from knlite.errors import InvalidInput, KnliteError, NotFound, Unreachable
from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked
from knlite.eventing.httpcodec import decode, encode_binary, is_event
from knlite.functions.runs import running
from knlite.settings import environment

DATA = '{"message":"Hello World"}'
CONTENT_TYPE = "application/json"
SOURCE, TYPE = "/boson/fn", "boson.fn"
SECONDS = 60.0
_FORMATS = {"http": "http", "cloudevent": "cloudevent", "cloudevents": "cloudevent"}
_METHODS = ("POST", "GET")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent."""

    format: str = ""
    """``http`` or ``cloudevent``; empty for the function's own."""
    id: str = ""
    source: str = SOURCE
    type: str = TYPE
    data: str = DATA
    file: str = ""
    """A file with the data instead."""
    content_type: str = CONTENT_TYPE
    method: str = "POST"
    extensions: Sequence[str] = ()


def invoke(
    opened: Opened,
    target: str,
    message: Message,
    admin_port: int,
    *,
    insecure: bool,
    verbose: bool,
) -> int:
    """Send *message*, print the answer; the exit code. Raises ``KnliteError``."""
    own = opened.func.invoke
    form = format_of(message.format) or own or "http"
    if own and form != own:
        sys.stderr.write(
            f'Warning: invoking as "{form}", but function declares type "{own}" in func.yaml.\n'
            f"   This may fail unless you rebuild or update func.yaml with `invoke: {form}`.\n\n"
        )
    if message.method.upper() not in _METHODS:
        raise InvalidInput(
            f"http request type '{message.method}' not supported, expected GET or POST"
        )
    extensions = extensions_of(message.extensions)
    if extensions and form != "cloudevent":
        raise InvalidInput(
            "--extension (-e) is only valid with cloudevents",
            fix="add --format cloudevent, or send it as the function wants it",
        )
    body = read_file(message.file) if message.file else os.fsencode(message.data)
    where = aim_at(opened, target, admin_port)
    if verbose:
        sys.stderr.write(f"Invoking '{form}' function at {where.url}\n")
    if form == "cloudevent":
        return _send_event(where, message, extensions, body, insecure=insecure, verbose=verbose)
    call = Call(
        url=where.url,
        method=message.method.upper(),
        headers=(("Content-Type", message.content_type),),
        body=body,
        through=where.through,
    )
    with exchanged(call, SECONDS, insecure=insecure) as reply:
        if reply.status >= 300:
            raise _failure(where, reply)
        if verbose:
            _tell_headers(reply)
        print_body(reply)
    return 0


def format_of(text: str) -> str:
    """``http``, ``cloudevent``, or nothing. Raises ``InvalidInput``."""
    if text and text.lower() not in _FORMATS:
        raise InvalidInput(f"format '{text}' not supported", fix="write http or cloudevent")
    return _FORMATS.get(text.lower(), "")


def extensions_of(texts: Sequence[str]) -> dict[str, str]:
    """Extensions from ``key=value``, several of them parted by commas. Raises ``InvalidInput``."""
    found = {}
    for text in ",".join(texts).split(",") if texts else ():
        key, equals, value = text.partition("=")
        if not (equals and key.strip()):
            raise InvalidInput(f'invalid --extension "{text}": must be in key=value format')
        found[key.strip()] = value
    return found


def aim_at(opened: Opened, target: str, admin_port: int) -> Aim:
    """What *target* means: ``local``, ``remote``, a URL, or whichever of the first two there is.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    if target not in {"", "local", "remote"}:
        return Aim(target)
    local = running(opened.folder) if target != "remote" else None
    if local is not None:
        return Aim(f"http://{local}/")
    if target == "local":
        raise NotFound("not running locally", fix="run it: knlite func run")
    try:
        return deployed(opened, admin_port)
    except (NotFound, Unreachable) as exc:
        what = "not running in remote" if target else "not running locally or in the remote"
        fix = "run it (knlite func run), or deploy it to a knlite that is up (knlite func deploy)"
        cause = f"{exc.what}: {exc.cause}" if exc.cause else exc.what
        raise type(exc)(what, cause=cause, fix=fix) from exc


def deployed(opened: Opened, admin_port: int) -> Aim:
    """The function's Service in a running knlite. Raises ``NotFound``, ``Unreachable``."""
    func = opened.func
    client = Client(admin_port)
    namespace = namespace_of(func, "", environment())
    url = service_url(client, namespace, func.name)
    return Aim(f"{url}/", client.gateway().partition("://")[2])


def event_of(message: Message, extensions: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event. Raises ``InvalidInput``."""
    attributes = {
        "specversion": "1.0",
        "id": message.id or str(uuid.uuid4()),
        "source": message.source,
        "type": message.type,
        **{name.lower(): value for name, value in extensions.items()},
    }
    # A GET carries attributes only.
    sent = body if message.method.upper() == "POST" else None
    event = checked(Draft(attributes, message.content_type, sent))
    if isinstance(event, Malformed):
        raise InvalidInput("that is no CloudEvent", cause=event.why)
    return event


def _send_event(
    where: Aim,
    message: Message,
    extensions: Mapping[str, str],
    body: bytes,
    *,
    insecure: bool,
    verbose: bool,
) -> int:
    event = event_of(message, extensions, body)
    if verbose:
        sys.stderr.write(f"Sending event\n{event_text(event)}")
    headers, content = encode_binary(event)
    call = Call(
        url=where.url,
        method=message.method.upper(),
        headers=tuple(headers),
        body=content,
        through=where.through,
    )
    with exchanged(call, SECONDS, insecure=insecure) as reply:
        if reply.status >= 300:
            raise _failure(where, reply)
        if verbose:
            _tell_headers(reply)
        if is_event(reply.headers):
            answer = decode(reply.headers, reply.body())
            if isinstance(answer, Malformed):
                raise KnliteError("the function answers with a broken event", cause=answer.why)
            sys.stdout.write(event_text(answer))
        elif verbose:
            print_body(reply)
    return 0


def _failure(where: Aim, reply: Reply) -> KnliteError:
    said = reply.body()[:500].decode(errors="replace").strip()
    return KnliteError(f"failure invoking '{where.url}' (HTTP {reply.status})", cause=said)


def _tell_headers(reply: Reply) -> None:
    lines = ["Function invoked.  Response:", "  Metadata:"]
    lines += [f"    {name}: {value}" for name, value in reply.headers]
    sys.stderr.write("\n".join([*lines, "  Content:"]) + "\n")
    sys.stderr.flush()
