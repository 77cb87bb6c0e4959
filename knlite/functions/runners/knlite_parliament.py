"""What ``def main(context)`` sees: context and event, as ``parliament`` has them.

Libraries of the function's environment are used where a function could tell the difference: events
are ``cloudevents.http.CloudEvent`` when that is installed.

Source: Knative Functions reference §2.1, §2.2; boson-project/parliament 0.1.0.
Not here: the request (``knlite_request.py``), serving (``parliament_runner.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

# Loaded as little as possible, as in parliament_runner.py.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_request import Request, environ_of, unquote
else:
    import knlite_loading as loading
    from knlite_request import Request, environ_of, unquote


class Event:
    """A CloudEvent with the interface of ``cloudevents.http.CloudEvent``, where that is absent."""

    def __init__(self, attributes: Mapping[str, str], data: Any = None) -> None:
        self._attributes = {"specversion": "1.0"}
        self._attributes.update({key.lower(): value for key, value in attributes.items()})
        if "id" not in self._attributes:
            import uuid

            self._attributes["id"] = str(uuid.uuid4())
        if "time" not in self._attributes:
            import datetime

            now = datetime.datetime.now(datetime.timezone.utc)  # noqa: TID251, UP017
            self._attributes["time"] = now.isoformat()
        self.data = data

    def __getitem__(self, name: str) -> str:
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or *default*."""
        return self._attributes.get(name, default)

    def get_attributes(self) -> Mapping[str, str]:
        """All attributes."""
        return dict(self._attributes)

    def get_data(self) -> Any:
        """The data."""
        return self.data


class Context(Mapping[str, object]):
    """What ``main`` receives; also a mapping of those of its members that are not None."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.cloud_event: Any = None

    def __getitem__(self, key: str) -> object:
        return self._present()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> dict[str, object]:
        members = {"request": self.request, "cloud_event": self.cloud_event}
        return {key: value for key, value in members.items() if value is not None}


def event(
    function: Any = None,
    *,
    event_type: str = "parliament.response",
    event_source: str = "/parliament/function",
) -> Any:
    """Decorates ``main``: what it returns becomes the data of a new event."""

    def decorate(inner: Callable[[Context], Any]) -> Callable[[Context], Any]:
        def main(context: Context) -> Any:
            result = inner(context)
            return waiting(result) if loading.is_awaitable(result) else evented(result)

        async def waiting(result: Any) -> Any:
            return evented(await result)

        def evented(result: Any) -> Any:
            if is_event(result):
                return result
            return _event_class()({"type": event_type, "source": event_source}, result)

        return main

    return decorate if function is None else decorate(function)


def is_event(value: Any) -> bool:
    """Whether *value* is an event, of either kind."""
    if isinstance(value, Event):
        return True
    library = sys.modules.get("cloudevents.http")
    return library is not None and isinstance(value, library.CloudEvent)


def _event_class() -> Any:
    library = _cloudevents()
    return Event if library is None else library.CloudEvent


def _cloudevents() -> Any:
    """``cloudevents.http`` 1.x if the function's environment has it."""
    try:
        import cloudevents.http  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return None
    return cloudevents.http


def read_event(request: Request) -> Any:
    """The event in *request*, or None."""
    headers = request.headers
    structured = request.mimetype.startswith("application/cloudevents")
    if not structured and "ce-specversion" not in headers:
        return None
    library = _cloudevents()
    try:
        if library is not None:
            lower = {name.lower(): value for name, value in headers.items()}
            return library.from_http(lower, request.data)
        return _decode_structured(request) if structured else _decode_binary(request)
    except Exception as error:  # noqa: BLE001  A request without a readable event is a plain one.
        print(f"No CloudEvent available: {error}", file=sys.stderr)  # noqa: T201
        return None


def _decode_binary(request: Request) -> Event:
    attributes = {
        name[3:].lower(): unquote(value)
        for name, value in request.headers.items()
        if name.lower().startswith("ce-")
    }
    if request.content_type:
        attributes["datacontenttype"] = request.content_type
    return _checked(attributes, _data(request.data))


def _decode_structured(request: Request) -> Event:
    import json

    attributes = json.loads(request.data)
    data = attributes.pop("data", None)
    encoded = attributes.pop("data_base64", None)
    if encoded is not None:
        import base64

        data = _data(base64.b64decode(encoded))
    return _checked(attributes, data)


def _checked(attributes: dict[str, str], data: Any) -> Event:
    missing = {"id", "source", "type", "specversion"} - attributes.keys()
    if missing:
        raise ValueError(f"missing {', '.join(sorted(missing))}")
    return Event(attributes, data)


def _data(body: bytes) -> Any:
    if not body:
        return None
    import json

    try:
        return json.loads(body)
    except ValueError:
        return body


def within_flask(request: Request, context: Context, function: Callable[[Context], Any]) -> Any:
    """Call *function*; if it has loaded Flask, with Flask's request and its contexts."""
    if "flask" not in sys.modules:
        return function(context)
    with _flask_app().request_context(environ_of(request)):
        import flask  # type: ignore[import-not-found,unused-ignore]

        context.request = flask.request._get_current_object()
        return function(context)


_APP: list[Any] = []


def warm() -> None:
    """Make ahead what the first request needs, in a process that instances are forked from."""
    if "flask" in sys.modules:
        _flask_app()


def _flask_app() -> Any:
    if not _APP:
        import flask

        _APP.append(flask.Flask("function"))
    return _APP[0]
