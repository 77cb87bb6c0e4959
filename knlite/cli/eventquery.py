"""Options of the event verbs as the parameters that the admin port takes."""

import re
from datetime import UTC, datetime, timedelta

from knlite.clock import present
from knlite.errors import InvalidInput

_AGO = re.compile(r"(\d{1,9})\s*(s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARRIVAL = re.compile(r"\d{13,18}", re.ASCII)
"""Microseconds since the epoch, of any time that an event may have come."""
EVERYTHING = 10_000
"""Events in one answer, at most."""


def parameters(**options: str | int) -> dict[str, str]:
    """The parameters for *options* that are given. Raises ``InvalidInput``."""
    given = {name: value for name, value in options.items() if value != ""}
    if "since" in given:
        given["since"] = _arrival(str(given["since"]), present())
    if "to" in given:
        given["to"] = url_of(str(given["to"]))
    return {name: str(value) for name, value in given.items()}


def one_event(event: str) -> dict[str, str]:
    """The parameter for one event, by its id or its arrival; none for none."""
    if not event:
        return {}
    return {"arrival": event} if _ARRIVAL.fullmatch(event) else {"id": event}


def url_of(to: str) -> str:
    """The URL of what is one, else of the Service of that name."""
    if "://" in to:
        return to
    namespace, _, name = to.rpartition("/")
    if not re.fullmatch(r"[a-z0-9-]+", name) or not re.fullmatch(r"[a-z0-9-]*", namespace):
        raise InvalidInput(
            f'"{to}" is neither a URL nor a Service',
            fix="write http://HOST/PATH, or [NAMESPACE/]NAME of a Service",
        )
    return f"http://{name}.{namespace or 'default'}.svc.cluster.local/"


def _arrival(text: str, now: datetime) -> int:
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            moment = now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
        else:
            moment = datetime.fromisoformat(text.strip())
            # What says no zone means the clock on the wall.
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidInput(
            f'--since "{text}" cannot be read', fix="write for example 10m, or 2026-01-31T12:00"
        ) from exc
    return max(1, (moment - _EPOCH) // timedelta(microseconds=1))
