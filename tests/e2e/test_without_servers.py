"""Brokers on servers where there is no library, no server, or something else in its place.

Source: Eventing reference §17 (conditions).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from tests.e2e import leaks
from tests.e2e.eventspace import BROKER_CLASS, EVENTING, space_of
from tests.e2e.executable import Knlite, free_port, running, wait_until
from tests.e2e.recorder import Recorder

pytestmark = pytest.mark.e2e

CLASSES = {"rabbitmq": "RabbitMQBroker", "kafka": "Kafka"}
"""By the extra that each needs, which is the name of the Broker here, too."""
ABSENT = "import sys\nsys.modules.update(aio_pika=None, aiormq=None, aiokafka=None)\n"
SECRET = "wrong-hunter2"


def broker(name: str) -> dict[str, Any]:
    metadata = {"name": name, "annotations": {BROKER_CLASS: CLASSES[name]}}
    return {"apiVersion": EVENTING, "kind": "Broker", "metadata": metadata}


def test_without_the_libraries(tmp_path: Path, recorder: Recorder) -> None:
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    with running(env={"PYTHONPATH": str(tmp_path)}) as run:
        space = space_of(run, recorder)
        for name in CLASSES:
            space.make("Broker", name, annotations=broker(name)["metadata"]["annotations"])
            condition = space.until_ready("Broker", name, "False")
            assert condition["reason"] == "ExtraNotInstalled"
            assert f'pip install "knlite[{name}]"' in condition["message"]
        space.broker("memory")
        assert "Traceback" not in run.stderr


class Greets(BaseRequestHandler):
    """Not with what a RabbitMQ or a Kafka says first."""

    def handle(self) -> None:
        self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@contextmanager
def something_else() -> Iterator[int]:
    """The port of another program."""
    with ThreadingTCPServer(("127.0.0.1", 0), Greets) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    yield free_port()


@pytest.mark.parametrize("there", [nobody, something_else])
def test_up_says_what_it_waits_for(
    there: Callable[[], Any], up: Callable[..., Knlite], tmp_path: Path
) -> None:
    manifests = tmp_path / "brokers.yaml"
    manifests.write_text("\n---\n".join(json.dumps(broker(name)) for name in CLASSES))
    with there() as port:
        settings = (
            f"--set=rabbitmq-broker-config.port={port}",
            f"--set=rabbitmq-broker-config.password={SECRET}",
            f"--set=kafka-broker-config.bootstrap.servers=127.0.0.1:{port}",
        )
        run = up(manifests, "--runtime", "process", *settings)

        def told(name: str) -> bool:
            said = run.seen("ReadyChanged", kind="Broker", name=name, status="False")
            return any(f"127.0.0.1:{port}" in fact["message"] for fact in said)

        wait_until(lambda: all(map(told, CLASSES)), "the address of both")
        assert "Traceback" not in run.stderr
        leaks.kept(run, SECRET)
        assert run.stop() == 0, "it ends in good order, with a server that never came"
