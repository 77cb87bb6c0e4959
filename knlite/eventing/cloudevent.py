"""A CloudEvent as it travels through a broker: text attributes, and data as bytes.

Source: CloudEvents 1.0; Eventing data plane reference §0, §1.3.
Not here: its forms on the wire (``httpcodec.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

REQUIRED = ("id", "source", "type")
VERSIONS = ("1.0", "0.3")

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
"""What no header can hold; a structured event could smuggle headers in with a line break. Halves of
surrogate pairs, which a command line may bring, are no characters at all."""
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?\s*(;.*)?")


class CloudEvent(msgspec.Struct, frozen=True, gc=False):
    """*attributes* are all but the content type, by lower-case name, extensions among them.

    Some are made for every event that comes, hence a struct: it takes a tenth of the time.
    """

    attributes: Mapping[str, str]
    content_type: str | None = None
    data: bytes | None = None

    @property
    def id(self) -> str:
        return self.attributes["id"]

    @property
    def type(self) -> str:
        return self.attributes["type"]

    @property
    def source(self) -> str:
        return self.attributes["source"]

    # An extension may be called self, hence the slash.
    def with_attributes(self, /, **changes: str | None) -> "CloudEvent":
        """The event with attributes set, or left out where the value is None."""
        attributes = {**self.attributes, **changes}
        kept = {name: value for name, value in attributes.items() if value is not None}
        return CloudEvent(kept, self.content_type, self.data)


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why something is no valid CloudEvent."""

    why: str


class Draft(msgspec.Struct, frozen=True, gc=False):
    """Attributes as they were found, to be checked."""

    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    content_type: str | None = None
    data: bytes | None = None


def checked(draft: Draft) -> CloudEvent | Malformed:
    """The event that *draft* describes; times come out in UTC."""
    attributes = draft.attributes
    version = attributes.get("specversion")
    if version not in VERSIONS:
        return Malformed(
            f"specversion {version!r} is not supported" if version else "specversion is missing"
        )
    for name in REQUIRED:
        if not attributes.get(name, "").strip():
            return Malformed(f"{name} is missing")
    # One search for all of them, as hardly any has one.
    if _CONTROL.search("\t".join(attributes.values())) or _CONTROL.search(draft.content_type or ""):
        named = {**attributes, "datacontenttype": draft.content_type or ""}
        name = next(name for name, value in named.items() if _CONTROL.search(value))
        return Malformed(f"{name} holds a control character, or what is no character")
    schema = attributes.get("dataschema")
    if schema is not None and not _is_absolute(schema):
        return Malformed(f"dataschema {schema!r} is not an absolute URI")
    content_type = draft.content_type
    if content_type is not None and _MEDIA_TYPE.fullmatch(content_type.strip()) is None:
        return Malformed(f"datacontenttype {content_type!r} is not a media type")
    time = attributes.get("time")
    if time is not None:
        utc = in_utc(time)
        if utc is None:
            return Malformed(f"time {time!r} is not RFC 3339")
        attributes = {**attributes, "time": utc}
    return CloudEvent(attributes, content_type, draft.data)


def in_utc(text: str) -> str | None:
    """An RFC 3339 time in UTC, up to nanoseconds, without trailing zeros; None if it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    date, clock, fraction, _, sign, hours, minutes = match.groups()
    digits = (fraction or "")[:9].rstrip("0")
    rest = f".{digits}Z" if digits else "Z"
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}")
        if sign is None and clock < "24":
            # Most are in UTC, and formatting takes longer than all the rest.
            return f"{date}T{clock}{rest}"
        if sign is not None:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + rest


def timestamp(moment: datetime) -> str:
    """*moment* as an attribute holds it."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    text = moment.isoformat()[:-6]
    return (text.rstrip("0") if "." in text else text) + "Z"


def _is_absolute(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).scheme)
    except ValueError:
        return False
