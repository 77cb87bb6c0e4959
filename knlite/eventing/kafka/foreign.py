"""Records that are no CloudEvents, as the events that a KafkaSource makes of them.

Source: knative-extensions/eventing-kafka-broker ``InvalidCloudEventInterceptor.java``,
``KeyDeserializer.java``; Eventing delivery reference §12.
Differs: what would make the event invalid (a control character in a key or in the value of a
header, a content type that is no media type) is left out, so that the event arrives; upstream
fails to send it. So is the content type of a record that says it is a CloudEvent and is none: who
gets the event would look for another one in its data.
"""

import base64
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked, timestamp
from knlite.eventing.kafka.backing import KeyType
from knlite.eventing.kafka.codec import CONTENT_TYPE, PARTITION_KEY, RecordHeaders
from knlite.kinds.sources.kafkasource import EVENT_TYPE

_KEY = "key"
_HEADER = "kafkaheader"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def foreign_event(
    prefix: str,
    topic: str,
    partition: int,
    offset: int,
    milliseconds: int,
    key: bytes | None,
    value: bytes | None,
    headers: RecordHeaders,
    key_type: KeyType,
) -> CloudEvent | Malformed:
    """The event made of a record that was written *milliseconds* after 1970.

    Its ``source`` is *prefix*, and the topic after ``#``.
    """
    attributes = {
        "specversion": "1.0",
        "id": f"partition:{partition}/offset:{offset}",
        "source": f"{prefix}#{topic}",
        "type": EVENT_TYPE,
        "subject": f"partition:{partition}#{offset}",
    }
    # Producers choose the time, and may be wrong by millions of years.
    with suppress(OverflowError, ValueError):
        attributes["time"] = timestamp(_EPOCH + timedelta(milliseconds=milliseconds))
    extensions: dict[str, str] = {}
    if key:
        extensions[PARTITION_KEY] = extensions[_KEY] = _text_of(key, key_type)
    content_type: str | None = None
    for name, raw in headers:
        if raw is None:
            continue
        text = raw.decode(errors="replace")
        if name.lower() == CONTENT_TYPE:
            content_type = _of_data(text.lower())
        else:
            extensions[_HEADER + _reduced(name)] = text
    fit = {name: text for name, text in extensions.items() if not _unprintable(text)}
    event = checked(Draft({**attributes, **fit}, content_type, value))
    if isinstance(event, Malformed) and content_type is not None:
        event = checked(Draft({**attributes, **fit}, None, value))
    return event


def _of_data(content_type: str) -> str | None:
    return None if content_type.startswith("application/cloudevents") else content_type


def _text_of(key: bytes, key_type: KeyType) -> str:
    """A key as text; of another length than its type has, it is read as text."""
    match key_type:
        case "int" if len(key) == 4:
            return str(struct.unpack(">i", key)[0])
        case "float" if len(key) == 4:
            return _shortest(struct.unpack(">f", key)[0])
        case "float" if len(key) == 8:
            return repr(struct.unpack(">d", key)[0])
        case "byte-array":
            return base64.b64encode(key).decode()
        case _:
            return key.decode(errors="replace")


def _shortest(number: float) -> str:
    """The fewest digits that name the same 32-bit *number*; nine always do."""
    bits = struct.pack(">f", number)
    for digits in range(1, 9):
        nearby = float(f"{number:.{digits}g}")
        # Of the largest there is, some are nearer to what is beyond all 32-bit numbers.
        with suppress(OverflowError):
            if struct.pack(">f", nearby) == bits:
                return repr(nearby)
    return repr(float(f"{number:.9g}"))


def _reduced(name: str) -> str:
    """What of a header's *name* an attribute can be called."""
    return "".join(c for c in name.lower() if c.isascii() and c.isalnum())


def _unprintable(text: str) -> bool:
    return any((c < " " and c != "\t") or c == "\x7f" for c in text)
