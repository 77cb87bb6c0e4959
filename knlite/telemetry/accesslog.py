"""Requests as records, and the log that they make when config-observability asks for it.

The record has the shape of Knative's default request log, then what knlite knows beyond it. Of the
headers of a request it shows five by name and no other: any of them may be a secret.

With a data directory the log is a file there; without one it is what the container queue-proxy of
the revision's instance wrote, as on a cluster (``kubectl logs POD -c queue-proxy``).

Source: Knative reference §6.3; knative/serving ``pkg/http/request_log.go``.
Not here: which template is understood (``kinds/config/observability.py``).
"""

from collections.abc import Container, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from knlite.clock import Clock, Timer
from knlite.facts import QUEUE_PROXY, Fact, LogLine, Notice, Publish, RequestDone
from knlite.kinds.config.observability import ObservabilityConfig

FILE = "access.log"
DELAY = 0.2
"""Seconds that a record may take to reach the file; writing each at once would cost every request
a call of the system."""
_SHOWN = frozenset((b"user-agent", b"referer", b"traceparent", b"x-b3-traceid", b"x-request-id"))
_TRACE_ID_DIGITS = 32


def record(fact: RequestDone) -> dict[str, Any]:
    """What an access log says of a request. Sizes are texts, as Knative's template has them."""
    shown = shown_headers(fact.headers)
    stages = {"waited": round(fact.waited, 6)}
    if fact.instance:
        stages["instance"] = round(fact.seconds - fact.waited, 6)
    return {
        "httpRequest": {
            "requestMethod": fact.method,
            "requestUrl": _text(fact.target),
            "requestSize": str(fact.request_bytes),
            "status": fact.status,
            "responseSize": str(fact.response_bytes),
            "userAgent": _text(shown.get(b"user-agent", b"")),
            "remoteIp": _address(fact.client),
            "serverIp": fact.server[0],
            "referer": _text(shown.get(b"referer", b"")),
            "latency": f"{fact.seconds:.6g}s",
            "protocol": _protocol(fact.http_version),
        },
        "traceId": _trace_id(shown),
        "at": fact.at.isoformat(timespec="milliseconds"),
        "host": _text(fact.host),
        "namespace": fact.namespace,
        "service": fact.service,
        "configuration": fact.configuration,
        "revision": fact.revision,
        "instance": fact.instance,
        "routeTag": fact.route_tag,
        "requestId": _text(fact.request_id or shown.get(b"x-request-id", b"")),
        "cold": fact.cold,
        "stages": stages,
        "why": fact.why,
    }


def shown_headers(
    headers: Sequence[tuple[bytes, bytes]], also: Container[bytes] = ()
) -> dict[bytes, bytes]:
    """The headers that may be shown, and *also* these, by name in lower case; of several, the
    first."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _SHOWN or lower in also:
            found.setdefault(lower, value)
    return found


class AccessLog:
    """A reader of facts that writes a line of JSON for each request, if that is wanted."""

    def __init__(self, folder: Path | None, clock: Clock, publish: Publish) -> None:
        self._folder = folder
        self._clock = clock
        self._publish = publish
        self._config = ObservabilityConfig()
        self._wanted = self._config.request_log
        self._file: IO[bytes] | None = None
        self._flush_at: Timer | None = None

    def configure(self, config: ObservabilityConfig) -> None:
        """Write from now on, or stop; no effect if *config* says what it said before."""
        if config != self._config:
            self._config = config
            self._wanted = config.request_log

    def read(self, fact: Fact) -> None:
        """Write a line for *fact* if it is a request."""
        if not self._wanted or not isinstance(fact, RequestDone):
            return
        line = msgspec.json.encode(record(fact))
        if self._folder is None:
            self._publish(
                LogLine(
                    at=fact.at,
                    namespace=fact.namespace,
                    service=fact.service,
                    revision=fact.revision,
                    instance=fact.instance,
                    stream="stdout",
                    text=line.decode(),
                    container=QUEUE_PROXY,
                )
            )
        else:
            self._append(self._folder, line)

    def close(self) -> None:
        """Write what is left, and close the file."""
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        if self._file is not None:
            # What cannot be written now never will be.
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, folder: Path, line: bytes) -> None:
        try:
            if self._file is None:
                folder.mkdir(parents=True, exist_ok=True)
                self._file = (folder / FILE).open("ab")
            self._file.write(line + b"\n")
        except OSError as exc:
            self._give_up(exc)
            return
        if self._flush_at is None:
            self._flush_at = self._clock.call_at(self._clock.now() + DELAY, self._flush)

    def _flush(self) -> None:
        self._flush_at = None
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as exc:
            self._give_up(exc)

    def _give_up(self, exc: OSError) -> None:
        """No line more, until somebody configures it otherwise."""
        self._wanted = False
        self.close()
        text = f"requests are no longer logged, as {self._folder} fails: {exc}"
        self._publish(Notice(at=self._clock.wall(), level="error", text=text))


def _trace_id(headers: dict[bytes, bytes]) -> str:
    """The trace-id of traceparent (W3C Trace Context §3.2), else the whole of X-B3-TraceId."""
    parts = headers.get(b"traceparent", b"").split(b"-")
    if len(parts) >= 4 and len(parts[1]) == _TRACE_ID_DIGITS:
        return _text(parts[1])
    return _text(headers.get(b"x-b3-traceid", b""))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _address(address: tuple[str, int]) -> str:
    host, port = address
    if not host:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _protocol(version: str) -> str:
    """``HTTP/1.1``, ``HTTP/2.0``: as Go writes it."""
    return f"HTTP/{version}" if "." in version else f"HTTP/{version}.0"
