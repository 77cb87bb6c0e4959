"""The extensions that brokers set: time to live, arrival, and why an event is a dead letter.

Source: Eventing data plane reference §0, §1.2, §4.2.
"""

import base64
import re
from datetime import datetime

from knlite.eventing.cloudevent import CloudEvent, timestamp

TTL = "knativebrokerttl"
ARRIVAL = "knativearrivaltime"
ERROR_DEST = "knativeerrordest"
ERROR_CODE = "knativeerrorcode"
ERROR_DATA = "knativeerrordata"

MAX_TTL = 255
ERROR_DATA_LIMIT = 768
"""Bytes, which are 1024 characters of base64."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INT32_MAX = 2**31 - 1


def arriving_ttl(event: CloudEvent) -> int:
    """How many more times *event* may pass a broker, this time counted; 0 if it may not."""
    text = event.attributes.get(TTL)
    if text is None or _NUMBER.fullmatch(text) is None:
        return MAX_TTL
    number = float(text)
    if abs(number) > _INT32_MAX:
        return MAX_TTL
    return max(0, int(number) - 1)


def arrived(event: CloudEvent, now: datetime) -> CloudEvent:
    """*event* as triggers see it: with its arrival, without its time to live."""
    attributes = {**event.attributes, ARRIVAL: timestamp(now)}
    attributes.pop(TTL, None)
    return CloudEvent(attributes, event.content_type, event.data)


def dead_letter(
    event: CloudEvent, ttl: int | None, target: str, code: int, body: bytes
) -> CloudEvent:
    """*event* for a dead letter sink; what is there of an earlier failure stays.

    *code* 0 (there was no answer) becomes 500, as upstream. Channels have no *ttl*.
    """
    added = {
        **({} if ttl is None else {TTL: str(ttl)}),
        ERROR_DEST: target,
        ERROR_CODE: str(code or 500),
        ERROR_DATA: base64.b64encode(body[:ERROR_DATA_LIMIT]).decode(),
    }
    return event.with_attributes(**{**added, **event.attributes})
