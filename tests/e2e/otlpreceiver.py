"""A collector for tests: takes OTLP by HTTP and keeps what it got, decoded."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire


class Got(NamedTuple):
    """A span as a test asks about it."""

    name: str
    kind: str
    trace: str
    span: str
    parent: str
    start: int
    end: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[str]
    failed: str


class Receiver:
    """What has come so far."""

    def __init__(self) -> None:
        self.spans: list[Got] = []
        self.metrics: dict[str, Any] = {}
        """The newest of each, by name."""
        self.resource: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.status = 200
        self.url = ""

    def take(self, path: str, body: bytes) -> None:
        """Keep what a request brings."""
        if path == "/v1/traces":
            traces = ExportTraceServiceRequest.FromString(body)
            for of_resource in traces.resource_spans:
                self.resource = _values(of_resource.resource.attributes)
                for of_scope in of_resource.scope_spans:
                    self.spans += map(_got, of_scope.spans)
        else:
            metrics = ExportMetricsServiceRequest.FromString(body)
            for of_metrics in metrics.resource_metrics:
                for scope in of_metrics.scope_metrics:
                    self.metrics |= {metric.name: metric for metric in scope.metrics}

    def named(self, name: str) -> list[Got]:
        """All spans called so, in order of their beginning."""
        found = [span for span in tuple(self.spans) if span.name == name]
        return sorted(found, key=lambda span: span.start)

    def below(self, parent: Got) -> list[Got]:
        """Its children, in order of their beginning."""
        found = [span for span in tuple(self.spans) if span.parent == parent.span]
        return sorted(found, key=lambda span: span.start)


def _got(span: Wire) -> Got:
    return Got(
        name=span.name,
        kind=Wire.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=_values(span.attributes),
        events=[(event.name, _values(event.attributes)) for event in span.events],
        links=[link.span_id.hex() for link in span.links],
        failed=span.status.message if span.status.code == 2 else "",
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def receiving_grpc() -> Iterator[Receiver]:
    """The same for traces by gRPC."""
    receiver = Receiver()

    def export(request: bytes, _: grpc.ServicerContext) -> bytes:
        receiver.take("/v1/traces", request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(export)
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {"Export": handler}),)
    )
    receiver.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """One that listens until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = decompress(body)
            receiver.headers = {name.lower(): value for name, value in self.headers.items()}
            if receiver.status == 200:
                receiver.take(self.path, body)
            self.send_response(receiver.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the terminal is the test's."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
