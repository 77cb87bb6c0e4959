"""One attempt of a readiness probe, on the wire.

Source: Knative reference §3.7; Kubernetes probes (httpGet succeeds with 200 to 399, tcpSocket when
it connects).
Not here: when and how often (``serving/probing.py``).
"""

import asyncio
import socket
import ssl

import anyio
import httptools
from anyio.abc import ByteStream, SocketStream

from knlite.kinds.podspec.fields import HTTPGetAction
from knlite.serving.instance import Address
from knlite.serving.probing import ReadinessProbe

_MAX_ANSWER = 64 * 1024
USER_AGENT = "kube-probe/1.34"


async def attempt(probe: ReadinessProbe, address: Address) -> str:
    """An empty text if the instance at *address* passes, else what was wrong."""
    port = probe.port or address.port
    with anyio.move_on_after(probe.timeout) as limit:
        try:
            connection = await _connected(address.host, port)
        except OSError as exc:
            return f"dial tcp {address.host}:{port}: {_cause(exc)}"
        if probe.http_get is None:
            connection.close()
            return ""
        async with await SocketStream.from_socket(connection) as stream:
            try:
                return await _http(probe.http_get, stream, f"{address.host}:{port}")
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as exc:
                return f"HTTP probe failed: {_cause(exc)}"
            except httptools.HttpParserError:
                return "HTTP probe failed: the answer is not HTTP"
    if limit.cancelled_caught:
        return f"no answer within {probe.timeout:g} s"
    return ""


async def _connected(host: str, port: int) -> socket.socket:
    """A connection, made with as little as possible: a cold start makes a score of attempts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (host, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _http(get: HTTPGetAction, stream: ByteStream, host: str) -> str:
    if get.scheme.upper() == "HTTPS":
        return await _https(get, stream, host)
    return await _exchange(get, stream, host)


async def _https(get: HTTPGetAction, stream: ByteStream, host: str) -> str:
    from anyio.streams.tls import TLSStream

    # As the kubelet: certificates of probes are not verified.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    tls = await TLSStream.wrap(stream, ssl_context=context, standard_compatible=False)
    return await _exchange(get, tls, host)


async def _exchange(get: HTTPGetAction, stream: ByteStream, host: str) -> str:
    headers = {"Host": get.host or host, "User-Agent": USER_AGENT, "Accept": "*/*"}
    headers.update((each.name, each.value) for each in get.http_headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await stream.send(
        f"GET {get.path or '/'} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()
    )
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    received = 0
    while not answer.complete and received < _MAX_ANSWER:
        data = await stream.receive()
        received += len(data)
        parser.feed_data(data)
    status = parser.get_status_code()
    return "" if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"


class _Answer:
    complete = False

    def on_headers_complete(self) -> None:
        self.complete = True


def _cause(exc: BaseException) -> str:
    text = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    cause = exc.__cause__
    if isinstance(exc, OSError) and not exc.strerror and isinstance(cause, OSError):
        text = cause.strerror or str(cause)
    return (text or type(exc).__name__).lower()
