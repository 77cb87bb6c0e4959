"""Events on their way, with real programs: nothing is lost, and order is kept where promised."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

MANY = 10_000
EACH = 10
"""One of so many events is for the ordered trigger as well."""

MANIFESTS = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: sink}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: python3 sink.py
        autoscaling.knative.dev/initial-scale: "0"
        autoscaling.knative.dev/max-scale: "1"
    spec:
      containers: [{image: example.com/sink}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler, namespace: knative-serving}
data: {allow-zero-initial-scale: "true"}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: all}
spec:
  broker: default
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: sink}
    uri: /all
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: ordered
  annotations: {kafka.eventing.knative.dev/delivery.order: ordered}
spec:
  broker: default
  filter: {attributes: {type: ordered}}
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: sink}
    uri: /ordered
"""

SINK = """
import asyncio, os, time
from pathlib import Path

# As long as this program takes to start, all events wait.
while not Path("go").exists():
    time.sleep(0.05)
got = {b"/all": [], b"/ordered": []}

class Sink(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""

    def data_received(self, data):
        self.rest += data
        while b"\\r\\n\\r\\n" in self.rest:
            head, _, self.rest = self.rest.partition(b"\\r\\n\\r\\n")
            method, path, _ = head.split(b" ", 2)
            body = b""
            if method == b"POST":
                number = head.lower().partition(b"\\r\\nce-id: ")[2].partition(b"\\r\\n")[0]
                got[path].append(number.decode())
            else:
                body = ",".join(got[path]).encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(body), body)
            )

async def main():
    port = int(os.environ["PORT"])
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()

asyncio.run(main())
"""


def sent(run: Knlite, count: int) -> int:
    """Send so many events, one after the other; returns how many were taken."""
    taken = 0
    with socket.create_connection(("127.0.0.1", run.port)) as connection:
        for number in range(count):
            kind = "ordered" if number % EACH == 0 else "plain"
            connection.sendall(
                f"POST /ns/default/brokers/default HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Length: 0\r\nce-id: {number}\r\nce-source: /test\r\n"
                f"ce-specversion: 1.0\r\nce-type: {kind}\r\n\r\n".encode()
            )
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            taken += answer.startswith(b"HTTP/1.1 202 ")
    return taken


def test_ten_thousand_events_for_a_service_at_zero_all_arrive(up: Up, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(MANIFESTS)
    (tmp_path / "sink.py").write_text(SINK)
    run = up(tmp_path, "--runtime", "process").settled()
    assert run.seen("InstanceChanged", service="sink") == []
    assert sent(run, MANY) == MANY
    assert run.seen("DeliveryAttempted", outcome="delivered") == []
    (tmp_path / "go").touch()

    def arrived(path: str, count: int) -> list[str] | None:
        got = run.get("sink.default", path).text.split(",")
        return got if len(got) >= count else None

    everything = wait_until(lambda: arrived("/all", MANY), "all events")
    assert sorted(everything, key=int) == [str(number) for number in range(MANY)]
    in_order = wait_until(lambda: arrived("/ordered", MANY // EACH), "the ordered ones")
    assert in_order == [str(number) for number in range(0, MANY, EACH)]
    wait_until(
        lambda: len(run.seen("DeliveryAttempted", outcome="delivered")) == MANY + MANY // EACH,
        "every delivery told",
    )
    assert {fact["instance"] for fact in run.seen("DeliveryAttempted")} == {
        fact["instance"] for fact in run.seen("InstanceChanged", state="ready")
    }
