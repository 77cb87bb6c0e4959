"""A request as ``main(context)`` sees it: what functions read of a ``flask.Request``.

What it lacks is taken from Flask, where the function's environment has it.

Source: Knative Functions reference §2.1; boson-project/parliament 0.1.0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

# Loaded as little as possible, as in parliament_runner.py.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Fields = list[tuple[str, str]]


class Headers(Mapping[str, str]):
    """Request headers, looked up without regard to case."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._values: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            self._values[key] = f"{self._values[key]},{value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name.title() for name in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values


class MultiDict(dict[str, str]):
    """First value of each key as a dict, all of them by ``getlist``: query and form fields."""

    def __init__(self, pairs: Fields) -> None:
        super().__init__()
        self._lists: dict[str, list[str]] = {}
        for key, value in pairs:
            self.setdefault(key, value)
            self._lists.setdefault(key, []).append(value)

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # noqa: A002
        """As Flask's: *type* converts, and what it cannot convert is *default*."""
        if key not in self:
            return default
        if type is None:
            return self[key]
        try:
            return type(self[key])
        except (ValueError, TypeError):
            return default

    def getlist(self, key: str) -> list[str]:
        """All values of *key*."""
        return list(self._lists.get(key, ()))

    def to_dict(self, flat: bool = True) -> dict[str, Any]:
        """A plain dict of first values, or of lists."""
        return dict(self) if flat else {key: list(values) for key, values in self._lists.items()}


class Request:
    """What functions read of a ``flask.Request``; anything else comes from Flask if installed."""

    def __init__(self, method: str, target: str, fields: Fields, data: bytes) -> None:
        self.method = method
        path, _, query = target.partition("?")
        self.path = unquote(path)
        self.query_string = query.encode("latin-1")
        self.headers = Headers(fields)
        self.data = data
        self._target = target
        self._flask: Any = None

    @property
    def args(self) -> MultiDict:
        """Query parameters."""
        return _pairs(self.query_string.decode("latin-1"))

    @property
    def form(self) -> Any:
        """Form fields; multipart forms need Flask."""
        if self.mimetype == "multipart/form-data":
            return self._full().form
        if self.mimetype != "application/x-www-form-urlencoded":
            return MultiDict([])
        return _pairs(self.data.decode("utf-8", "replace"))

    @property
    def content_type(self) -> str | None:
        """The Content-Type header."""
        return self.headers.get("content-type")

    @property
    def mimetype(self) -> str:
        """The Content-Type without parameters."""
        return (self.content_type or "").partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """The length that the client declared."""
        length = self.headers.get("content-length")
        return int(length) if length is not None else None

    @property
    def is_json(self) -> bool:
        """Whether the Content-Type is JSON."""
        kind = self.mimetype
        return kind == "application/json" or (
            kind.startswith("application/") and kind.endswith("+json")
        )

    @property
    def json(self) -> Any:
        """The body as JSON; 415 for another Content-Type."""
        return self.get_json()

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers.get("host", "localhost")

    @property
    def scheme(self) -> str:
        """Always http: the gateway ends TLS."""
        return "http"

    @property
    def full_path(self) -> str:
        """Path, question mark and query."""
        return f"{self.path}?{self.query_string.decode('latin-1')}"

    @property
    def base_url(self) -> str:
        """The URL without its query."""
        return f"http://{self.host}{self._target.partition('?')[0]}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"http://{self.host}{self._target}"

    @property
    def host_url(self) -> str:
        """Scheme and host."""
        return f"http://{self.host}/"

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """The body, as bytes or as text."""
        return self.data.decode("utf-8", "replace") if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body as JSON, or None with *silent*."""
        if not (force or self.is_json):
            if silent:
                return None
            raise ValueError("415 Unsupported Media Type: the Content-Type is not application/json")
        import json

        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise

    def __repr__(self) -> str:
        return f"<Request {self.url!r} [{self.method}]>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._full(), name)

    def _full(self) -> Any:
        if self._flask is None:
            self._flask = _flask_request(self)
        return self._flask


def unquote(text: str) -> str:
    """*text*, whose bytes may be percent-encoded, as UTF-8."""
    if "%" not in text:
        return text.encode("latin-1").decode("utf-8", "replace")
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "replace")


def _pairs(text: str) -> MultiDict:
    if not text:
        return MultiDict([])
    from urllib.parse import parse_qsl

    return MultiDict(parse_qsl(text, keep_blank_values=True))


def _flask_request(request: Request) -> Any:
    try:
        import flask  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise AttributeError(
            "this part of flask.Request needs Flask: add flask to requirements.txt"
        ) from None
    return flask.Request(environ_of(request))


def environ_of(request: Request) -> dict[str, Any]:
    """*request* as WSGI has it."""
    import io

    host, _, port = request.host.partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query_string.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.data)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.data),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.content_type:
        environ["CONTENT_TYPE"] = request.content_type
    for name, value in request.headers.items():
        if name.lower() not in ("content-type", "content-length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
