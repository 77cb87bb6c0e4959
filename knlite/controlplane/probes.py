"""One attempt of a probe: over the network, or by a command in the container.

Source: Knative reference §3.7; Kubernetes probes (``pkg/probe``): httpGet succeeds with 200 to 399,
tcpSocket when it connects, exec with exit code 0, grpc when the health service says SERVING.
Not here: when and how often (``serving/probing.py``), gRPC (``grpcprobe.py``).
"""

import asyncio
import os
import socket
import ssl
from urllib.parse import quote

import anyio
import httptools
from anyio.abc import ByteStream, SocketStream

from knlite.controlplane.grpcprobe import check_health
from knlite.kinds.podspec.fields import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    TCPSocketAction,
)
from knlite.runtime.port import Instance
from knlite.serving.instance import Address
from knlite.serving.probing import ProbeSpec

_MAX_ANSWER = 64 * 1024
_MAX_OUTPUT = 10 * 1024
"""Of what a command writes, for the sentence about its failure; as the kubelet."""
USER_AGENT = "kube-probe/1.34"
_LINE_ENDS = frozenset("\r\n\0")
_LAST_PORT = 65535


async def attempt(probe: ProbeSpec, instance: Instance) -> str:
    """An empty text if *instance* passes, else what was wrong."""
    action = probe.action
    if not isinstance(action, ExecAction):
        return await _in_time(probe, action, instance.address)
    if probe.serving and probe.role == "Readiness":
        # The queue-proxy cannot run commands: beside the kubelet's command it tries to connect.
        problem = await _in_time(probe, TCPSocketAction(), instance.address)
        if problem:
            return problem
    return await _command(probe, action, instance)


async def _in_time(
    probe: ProbeSpec, action: HTTPGetAction | TCPSocketAction | GRPCAction, instance: Address
) -> str:
    # As Knative's queue-proxy, it is always the instance that is asked; the host of an action is
    # only what the instance is called.
    port = probe.port or instance.port
    if not 0 < port <= _LAST_PORT:
        return f"invalid port number: {port}"
    with anyio.move_on_after(probe.timeout):
        return await _over_network(action, instance.host, port)
    return f"no answer within {probe.timeout:g} s"


async def _over_network(
    action: HTTPGetAction | TCPSocketAction | GRPCAction, host: str, port: int
) -> str:
    try:
        connection = await _connected(host, port)
    except OSError as exc:
        return f"dial tcp {host}:{port}: {_cause(exc)}"
    if isinstance(action, TCPSocketAction):
        connection.close()
        return ""
    async with await SocketStream.from_socket(connection) as stream:
        try:
            if isinstance(action, GRPCAction):
                return await check_health(stream, f"{host}:{port}", action.service or "")
            return await _http(action, stream, f"{host}:{port}")
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as exc:
            kind = "gRPC" if isinstance(action, GRPCAction) else "HTTP"
            return f"{kind} probe failed: {_cause(exc)}"
        except httptools.HttpParserError:
            return "HTTP probe failed: the answer is not HTTP"


async def _command(probe: ProbeSpec, action: ExecAction, instance: Instance) -> str:
    result = await instance.exec(probe.container, action.command, probe.timeout)
    if result.code == 0:
        return ""
    if result.code is None:
        return f"command timed out after {probe.timeout:g} s"
    output = result.output[:_MAX_OUTPUT].strip()
    return output or f"command exited with code {result.code}"


async def _connected(host: str, port: int) -> socket.socket:
    """A connection, made with as little as possible: a cold start makes a score of attempts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    tls = await TLSStream.wrap(
        stream, server_side=False, ssl_context=context, standard_compatible=False
    )
    return await _exchange(get, tls, host)


async def _exchange(get: HTTPGetAction, stream: ByteStream, host: str) -> str:
    headers = {"host": host, "user-agent": USER_AGENT, "accept": "*/*"}
    named = [(each.name, each.value) for each in get.http_headers]
    for name, value in [("Host", get.host), *named] if get.host else named:
        if not set(name + value) & _LINE_ENDS:
            headers[name.lower()] = value
    path = get.path if get.path.startswith("/") else f"/{get.path}"
    target = quote(path, safe="/?#[]@!$&'()*+,;=:%~").partition("#")[0]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await stream.send(f"GET {target} HTTP/1.1\r\n{lines}connection: close\r\n\r\n".encode())
    answer = _Answer()
    received = 0
    while not answer.status and received < _MAX_ANSWER:
        data = await stream.receive()
        received += len(data)
        answer.parser.feed_data(data)
    if 200 <= answer.status < 400:
        return ""
    return f"HTTP probe failed with statuscode: {answer.status}"


class _Answer:
    """Reads up to the head of the answer."""

    def __init__(self) -> None:
        self.status = 0
        """0 until it is known."""
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status >= 200 and not self.status:
            self.status = status


def _cause(exc: BaseException) -> str:
    """The system's word for it; event loops put words of their own around that."""
    for each in (exc, exc.__cause__):
        if isinstance(each, OSError) and not isinstance(each, ssl.SSLError) and each.errno:
            return os.strerror(each.errno).lower()
    return (str(exc) or type(exc).__name__).lower()
