"""PingSource: sends one and the same event whenever a schedule says so.

Source: knative/eventing ``pkg/apis/sources/v1/ping_*.go``; Eventing reference §9.
"""

import binascii
import json
import re
from base64 import b64decode
from typing import Final

import msgspec

from knlite.kinds import schedule
from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import Errors, FieldError, both, invalid, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.sources.source import (
    DEPLOYED,
    OIDC_IDENTITY_CREATED,
    SINK_PROVIDED,
    CloudEventOverrides,
    SourceStatus,
    overrides_validated,
)

CONDITIONS = ConditionSet((SINK_PROVIDED, DEPLOYED, OIDC_IDENTITY_CREATED))

EVENT_TYPE: Final = "dev.knative.sources.ping"
FINALIZER: Final = "pingsources.sources.knative.dev"
DEFAULT_SCHEDULE: Final = "* * * * *"
JSON: Final = "application/json"

_QUADS = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NO_LETTER = re.compile(r"[^A-Za-z0-9+/]")


class PingSourceSpec(Fields):
    schedule: str = ""
    timezone: str = ""
    content_type: str = ""
    data: str = ""
    data_base64: str = msgspec.field(default="", name="dataBase64")
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class PingSource(Object):
    """Sends an event on a schedule."""

    spec: PingSourceSpec = PingSourceSpec()
    status: SourceStatus = SourceStatus()


def event_source(namespace: str, name: str) -> str:
    """The ``source`` of the events of a PingSource; the version is not that of its group."""
    return f"/apis/v1/namespaces/{namespace}/pingsources/{name}"


def defaulted(obj: PingSource, old: PingSource | None, config: Config) -> PingSource:
    """*obj* with a schedule. The namespace of its sink is not filled in, as upstream."""
    if obj.spec.schedule:
        return obj
    spec = msgspec.structs.replace(obj.spec, schedule=DEFAULT_SCHEDULE)
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: PingSource, old: PingSource | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change."""
    spec = obj.spec
    return (
        *name_errors(obj),
        *under("spec", _schedule_validated(spec)),
        *under("spec.sink", destination.validated(spec.sink, config.eventing.enabled)),
        *under("spec.ceOverrides", overrides_validated(spec.ce_overrides)),
        *under("spec", _data_validated(spec, config.ping.data_max_size)),
    )


def data_of(spec: PingSourceSpec) -> bytes | None:
    """The data of the event that *spec*, which is valid, describes."""
    if spec.data_base64:
        return b64decode(_one_line(spec.data_base64))
    return spec.data.encode() if spec.data else None


def _schedule_validated(spec: PingSourceSpec) -> Errors:
    try:
        schedule.parse(spec.schedule, spec.timezone)
    except schedule.InvalidZone as exc:
        return (invalid(exc, "timezone"),)
    except schedule.InvalidSchedule as exc:
        return (invalid(exc, "schedule"),)
    return ()


def _data_validated(spec: PingSourceSpec, most: int) -> Errors:
    if spec.data and spec.data_base64:
        return (both("data", "dataBase64"),)
    path, text = ("dataBase64", spec.data_base64) if spec.data_base64 else ("data", spec.data)
    if not text:
        return ()
    errors: list[FieldError] = []
    size = len(text.encode())
    if -1 < most < size:
        errors.append(
            invalid(f"the data length of {size} bytes exceeds limit set at {most}.", path)
        )
    if path == "dataBase64":
        problem = _base64_problem(text)
        if problem:
            return (*errors, invalid(problem, path))
        text = b64decode(_one_line(text)).decode(errors="replace")
    if spec.content_type == JSON:
        problem = _object_problem(text)
        if problem:
            errors.append(invalid(problem, path))
    return tuple(errors)


def _one_line(text: str) -> str:
    """Base64 without the line breaks that Go's decoder passes over."""
    return text.replace("\n", "").replace("\r", "")


def _base64_problem(text: str) -> str:
    """Why *text* is not base64, with the place in it; empty if it is."""
    line = _one_line(text)
    try:
        b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        good = _QUADS.match(line)
        end = 0 if good is None else good.end()
        # Behind padding nothing may come; an unfinished group is named by where it begins.
        wrong = None if line[:end].endswith("=") else _NO_LETTER.search(line, end)
        return f"illegal base64 data at input byte {end if wrong is None else wrong.start()}"
    return ""


def _object_problem(text: str) -> str:
    """Why *text* is not the JSON of an object; empty if it is, or ``null``.

    Differs: of what is not JSON at all the words are those of another decoder than upstream's.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        return "exceeded max depth"
    except ValueError as exc:
        return f"invalid JSON: {exc}"
    match value:
        case dict() | None:
            return ""
        case list():
            kind = "array"
        case bool():
            kind = "bool"
        case str():
            kind = "string"
        case _:
            kind = "number"
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
