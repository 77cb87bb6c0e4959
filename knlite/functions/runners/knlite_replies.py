"""What ``main`` may return as an answer: all that a Flask view may, or an event.

Source: Knative Functions reference §2.1, §2.3; boson-project/parliament 0.1.0.
Not here: sending it (``parliament_runner.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

# Loaded as little as possible, as in parliament_runner.py.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_parliament import is_event
    from knlite.functions.runners.knlite_request import Fields
else:
    import knlite_loading as loading
    from knlite_parliament import is_event
    from knlite_request import Fields

HTML = "text/html; charset=utf-8"
ANSWERS = "return text, bytes, a dict, a list, (body, status) or (body, status, headers)"

Reply = tuple[int, Fields, "bytes | Iterator[Any]"]
"""Status, headers and body; a body in parts is sent as they come."""


def reply_of(result: Any) -> Reply:
    """Anything that a Flask view may return, or an event, as an answer.

    Raises ``TypeError`` and ``ValueError``, which name what is wrong with it.
    """
    status, fields, body = _event_reply(result) if is_event(result) else _plain_reply(result)
    for name, value in fields:
        field = f"{name}: {value}"
        # They may be somebody else's words: an event's that is sent back.
        if "\r" in field or "\n" in field:
            raise ValueError(f"main() returned a header with a line end: {name!r}")
        if not field.isascii():
            field.encode("latin-1")
    return status, fields, body


def _plain_reply(result: Any) -> Reply:
    status = 200
    fields: Fields = []
    if isinstance(result, tuple):
        result, status, fields = _take_apart(result)
    if hasattr(result, "get_wsgi_headers") and hasattr(result, "status_code"):  # flask.Response
        own = [(str(k), str(v)) for k, v in result.headers if k.lower() != "content-length"]
        status = result.status_code if status == 200 else status
        parts = getattr(result, "is_streamed", False)
        body = result.iter_encoded() if parts else bytes(result.get_data())
        return _possible(status), own + fields, body
    if result is None:
        raise TypeError("main() returned None; for an empty answer return ('', 204)")
    kind = HTML
    if isinstance(result, (dict, list)):
        import json

        body, kind = json.dumps(result).encode() + b"\n", "application/json"
    elif isinstance(result, str):
        body = result.encode()
    elif isinstance(result, (bytes, bytearray)):
        body = bytes(result)
    elif isinstance(result, Iterator):
        body = result
    else:
        raise TypeError(f"main() returned {loading.a(result)}; {ANSWERS}")
    if not any(name.lower() == "content-type" for name, _ in fields):
        fields = [("Content-Type", kind), *fields]
    return _possible(status), [f for f in fields if f[0].lower() != "content-length"], body


def _possible(status: int) -> int:
    if not 100 <= status <= 999:
        raise ValueError(f"main() returned the status {status}; it has to have three digits")
    return status


def _take_apart(result: tuple[Any, ...]) -> tuple[Any, int, Fields]:
    if len(result) == 3:
        body, status, headers = result
    elif len(result) == 2 and isinstance(result[1], (int, str)):
        (body, status), headers = result, None
    elif len(result) == 2:
        (body, headers), status = result, 200
    else:
        raise TypeError(f"main() returned a tuple of {len(result)}; {ANSWERS}")
    number = int(str(status).partition(" ")[0]) if status is not None else 200
    if headers is None:
        return body, number, []
    pairs = headers.items() if hasattr(headers, "items") else headers
    fields: Fields = []
    for name, value in pairs:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            fields.append((str(name), str(one)))
    return body, number, fields


def _event_reply(reply: Any) -> Reply:
    attributes = dict(reply.get_attributes())
    body = reply.data
    if body is None:
        raise TypeError("the event that the function returned has no data")
    if not isinstance(body, (bytes, bytearray)):
        import json

        body = json.dumps(body).encode()
    kind = attributes.pop("datacontenttype", None) or HTML
    fields = [(f"Ce-{name.title()}", _quote(str(value))) for name, value in attributes.items()]
    return 200, [*sorted(fields), ("Content-Type", kind)], bytes(body)


def _quote(value: str) -> str:
    """Percent-encoded where a header cannot carry it (CloudEvents HTTP binding 3.1.3.2)."""
    return "".join(
        one if " " <= one <= "~" else "".join(f"%{byte:02X}" for byte in one.encode())
        for one in value
    )
