"""The article's system with its Broker on RabbitMQ and on Kafka: one annotation more."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from tests.e2e.executable import EXAMPLES, Knlite, wait_until
from tests.servers.kafka import Kafka
from tests.servers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]
CLASSES = {"rabbitmq": "RabbitMQBroker", "kafka": "Kafka"}


@pytest.mark.parametrize("engine", CLASSES)
def test_the_example_differs_by_its_class_and_by_names(engine: str) -> None:
    def text(file: Path) -> str:
        names = re.sub(rf"brokered-{engine}\b", "brokered", file.read_text())
        return names.replace(f"example.com/{engine}/", "example.com/broker/")

    class_of = f"  annotations:\n    eventing.knative.dev/broker.class: {CLASSES[engine]}\n"
    theirs, ours = EXAMPLES / "article-broker", EXAMPLES / f"article-{engine}"
    files = {each.relative_to(theirs) for each in theirs.rglob("*") if each.name != "README.md"}
    files = {each for each in files if "__pycache__" not in each.parts}
    for file in (each for each in files if (theirs / each).is_file()):
        assert text(ours / file).replace(class_of, "") == (theirs / file).read_text()
    assert class_of in (ours / "broker.yaml").read_text()


def test_on_rabbitmq(up: Up, rabbitmq: RabbitMQ) -> None:
    login = {
        "uri": rabbitmq.host,
        "port": str(rabbitmq.port),
        "username": rabbitmq.username,
        "password": rabbitmq.password,
        "vhost": rabbitmq.vhost,
    }
    settings = [f"--set=rabbitmq-broker-config.{name}={value}" for name, value in login.items()]
    goes_from_web_to_process(up, "rabbitmq", *settings)
    if rabbitmq.is_own:
        queues = rabbitmq.control("list_queues", "name", "type", "messages")
        assert re.search(r"greetings\S*\s+quorum\s+0", queues), queues


def test_on_kafka(up: Up, kafka: Kafka) -> None:
    goes_from_web_to_process(
        up, "kafka", f"--set=kafka-broker-config.bootstrap.servers={kafka.bootstrap}"
    )
    found = asyncio.run(types_of(kafka, "knative-broker-brokered-kafka-default", 2))
    assert found[:2] == [b"com.example.greeting", b"parliament.response"]


def test_without_servers_all_the_rest_comes_up(up: Up) -> None:
    nowhere = ("--set=kafka-broker-config.bootstrap.servers=127.0.0.1:1",)
    nowhere += ("--set=rabbitmq-broker-config.port=1",)
    folders = (EXAMPLES / f"article-{name}" for name in ("broker", *CLASSES))
    run = up(*folders, "--runtime", "process", *nowhere).settled()
    assert run.get("web.brokered").json() == {"hello": "world"}
    for engine in CLASSES:
        broker = run.admin.get(
            f"/apis/eventing.knative.dev/v1/namespaces/brokered-{engine}/brokers/default"
        ).json()
        ready = next(each for each in broker["status"]["conditions"] if each["type"] == "Ready")
        assert ready["status"] == "False"
        assert "refused" in ready["message"]


def goes_from_web_to_process(up: Up, engine: str, *settings: str) -> None:
    run = up(EXAMPLES / f"article-{engine}", "--runtime", "process", *settings).settled()
    assert run.get(f"web.brokered-{engine}").json() == {"hello": "world"}
    wait_until(lambda: run.logged("process", "com.example.greeting"), "the event in the log")
    wait_until(
        lambda: run.seen(
            "EventAccepted", sender=f"reply of trigger brokered-{engine}/greetings", readers=[]
        ),
        "process's answer back in the broker, where it does not match",
    )


async def types_of(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    """The types of the first events of *topic*, in the order in which they were written."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        records = [await anext(consumer) for _ in range(count)]
    finally:
        await consumer.stop()
    records.sort(key=lambda record: record.timestamp)
    return [dict(record.headers)["ce_type"] for record in records]
