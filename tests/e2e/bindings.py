"""CloudEvents on Kafka and RabbitMQ, read by the rules of the bindings and by nothing of knlite.

What breaks a rule is an :class:`AssertionError` that names it. Sources: CloudEvents 1.0 (context
attributes, type system, Kafka protocol binding) and Eventing data plane reference §9.1 and §9.3
(what Knative's Broker for RabbitMQ writes and reads).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from tests.e2e.recorder import Event

REQUIRED = ("specversion", "id", "source", "type")
UNSET_TIME = "0001-01-01T00:00:00Z"
"""What stands on RabbitMQ for an event without a time."""
_NAME = re.compile(r"[a-z0-9]+")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;.*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def valid(event: Event) -> Event:
    """The event, if it is one by the rules for context attributes."""
    attributes = event.attributes
    for name in REQUIRED:
        assert attributes.get(name), f"{name} is required and not empty"
    assert attributes["specversion"] == "1.0", attributes["specversion"]
    for name, value in attributes.items():
        assert _NAME.fullmatch(name), f"{name!r} is no name of an attribute"
        assert name != "data", "data is not an attribute"
        assert value != "" or name not in ("subject", "dataschema", "datacontenttype"), name
        assert not _CONTROL.search(value), f"{name} has control characters"
    urlsplit(attributes["source"])
    if "dataschema" in attributes:
        assert urlsplit(attributes["dataschema"]).scheme, "dataschema is an absolute URI"
    if "time" in attributes:
        assert _TIMESTAMP.fullmatch(attributes["time"]), attributes["time"]
        datetime.fromisoformat(attributes["time"])
    if "datacontenttype" in attributes:
        assert _MEDIA_TYPE.fullmatch(attributes["datacontenttype"]), attributes["datacontenttype"]
    return event


def structured(body: bytes) -> Event:
    """The event of a JSON text in the JSON event format."""
    members = json.loads(body)
    assert isinstance(members, dict), "an event is an object"
    assert not ({"data", "data_base64"} <= set(members)), "data and data_base64 at once"
    attributes = {}
    for name, value in members.items():
        if name in ("data", "data_base64") or value is None:
            continue
        assert isinstance(value, bool | int | str), f"{name} has no type of an attribute"
        attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
    if "data_base64" in members:
        return valid(Event(attributes, base64.b64decode(members["data_base64"], validate=True)))
    if "data" not in members:
        return valid(Event(attributes))
    data, media = members["data"], attributes.get("datacontenttype", "application/json")
    is_json = media.split(";")[0].strip().endswith(("/json", "+json"))
    text = json.dumps(data) if is_json else data
    assert isinstance(text, str), "data that is not JSON is a string"
    return valid(Event(attributes, text.encode()))


def on_kafka(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Event:
    """The event of a record, in binary or structured mode.

    The key is that of the extension ``partitionkey``, or there is none.
    """
    named = _once(headers)
    content_type = named.get("content-type", "")
    if content_type.startswith("application/cloudevents"):
        assert content_type.split(";")[0] == "application/cloudevents+json", content_type
        assert value is not None, "structured mode without a value"
        event = structured(value)
    else:
        assert "ce_specversion" in named, f"no CloudEvent: {sorted(named)}"
        assert "ce_datacontenttype" not in named, "datacontenttype is the header content-type"
        attributes = {name[3:]: text for name, text in named.items() if name.startswith("ce_")}
        if content_type:
            attributes["datacontenttype"] = content_type
        event = valid(Event(attributes, value or b""))
        assert value != b"", "no data is a null value"
    partition_key = event.attributes.get("partitionkey")
    assert key == (None if partition_key is None else partition_key.encode()), key
    return event


def _once(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The headers that say something of an event; others are not looked at."""
    named: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith("ce_") and name != "content-type":
            continue
        assert name not in named, f"the header {name} is there twice"
        assert isinstance(value, bytes), f"the header {name} has no value"
        named[name] = value.decode("utf-8", "strict")
    return named


def on_rabbitmq(
    headers: Mapping[str, object],
    body: bytes,
    *,
    content_type: str | None,
    message_id: str | None,
    delivery_mode: int | None,
) -> Event:
    """The event of a message that knlite wrote: what Knative's own Broker would have written.

    Read as Knative's own dispatcher reads: headers that start with ``x-`` and the two of a trace
    are not the event's. An event that has the latter as attributes has them behind a prefix
    that readers cut, ``ce-``.
    """
    attributes: dict[str, str] = {}
    for name, value in headers.items():
        if name in ("traceparent", "tracestate") or name.startswith("x-"):
            continue
        assert name == name.lower(), f"{name} is not in lower case"
        if name == "content-type":
            assert value == (content_type or ""), "header and property content type differ"
            if value:
                attributes["datacontenttype"] = str(value)
            continue
        assert isinstance(value, bool | int | str), f"{name}: {type(value).__name__}"
        attribute = name[3:] if name in ("ce-traceparent", "ce-tracestate") else name
        attributes[attribute] = str(value).lower() if isinstance(value, bool) else str(value)
    assert not (content_type or "").startswith("application/cloudevents"), "structured mode"
    assert attributes.get("time", "").endswith("Z"), "time is always there, in UTC"
    assert message_id == attributes["id"], "message_id is the id"
    assert delivery_mode == 2, "persistent"
    return valid(Event(attributes, body))
