"""One question to the gRPC health service, on a connection of its own.

Source: the gRPC health checking protocol (``grpc.health.v1``: Check, HealthCheckRequest.service is
field 1, HealthCheckResponse.status is field 1 and SERVING is 1); gRPC over HTTP/2; Kubernetes'
``pkg/probe/grpc`` (texts).
"""

from collections.abc import Sequence

from anyio.abc import ByteStream
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

USER_AGENT = "kube-probe/1.34 grpc"
_SERVING = 1
_STATUS = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_UNIMPLEMENTED = "12"
_MAX_ANSWER = 64 * 1024


async def check_health(stream: ByteStream, authority: str, service: str) -> str:
    """An empty text if *service* is SERVING, else what was wrong. Raises as *stream* does."""
    # Headers stay bytes: h2 raises no ProtocolError for what it cannot decode.
    h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    h2.initiate_connection()
    number = h2.get_next_available_stream_id()
    h2.send_headers(number, _request_headers(authority))
    h2.send_data(number, _request(service), end_stream=True)
    answer = _Answer()
    received = 0
    try:
        while not answer.complete and received < _MAX_ANSWER:
            await stream.send(h2.data_to_send())
            data = await stream.receive()
            received += len(data)
            answer.take(h2.receive_data(data))
    except ProtocolError as exc:
        return f"error: the answer is not gRPC: {exc}"
    return answer.problem(authority)


def _request_headers(authority: str) -> Sequence[tuple[str, str]]:
    return (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", USER_AGENT),
    )


def _request(service: str) -> bytes:
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Answer:
    """What has come of the answer."""

    def __init__(self) -> None:
        self.complete = False
        self._body = bytearray()
        self._http = self._grpc = self._message = ""

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case ResponseReceived(headers=headers) | TrailersReceived(headers=headers):
                    for name, value in headers or ():
                        self._header(bytes(name), bytes(value).decode(errors="replace"))
                case DataReceived(data=data):
                    self._body += data or b""
                case StreamEnded():
                    self.complete = True
                case StreamReset() | ConnectionTerminated():
                    self.complete = True
                    self._message = self._message or "the stream was reset"
                case _:
                    pass

    def _header(self, name: bytes, value: str) -> None:
        match name:
            case b":status":
                self._http = value
            case b"grpc-status":
                self._grpc = value
            case b"grpc-message":
                self._message = value
            case _:
                pass

    def problem(self, authority: str) -> str:
        if self._grpc == _UNIMPLEMENTED:
            return (
                "error: this server does not implement the grpc health protocol "
                f"(grpc.health.v1.Health): {self._message}"
            )
        if self._grpc != "0":
            why = self._message or f"HTTP status {self._http or 'unknown'}, no gRPC status"
            return f'error: health rpc failed at "{authority}": {why}'
        status = _status(bytes(self._body[5:]))
        if status == _SERVING:
            return ""
        name = _STATUS[status] if status < len(_STATUS) else str(status)
        return f'service unhealthy (responded with "{name}")'


def _status(message: bytes) -> int:
    """The status in a HealthCheckResponse, which has no other field; 0 if it is absent."""
    return message[1] if len(message) >= 2 and message[0] == 0x08 else 0
