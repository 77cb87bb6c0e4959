"""Logs of pods (Kubernetes PodLogOptions; clients-api reference, Part 4)."""

from datetime import timedelta

import pytest

from knlite.facts import InstanceChanged, InstanceState
from knlite.kinds.core.pod import ContainerState, Pod, PodContainerStatus, PodStatus, WaitingState
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from tests.unit.apiserver.asking import NOW, Client, line, streaming

POD = "/api/v1/namespaces/default/pods/web-00001-x"
LOG = f"{POD}/log"


def changed(state: InstanceState, seconds: float) -> InstanceChanged:
    return InstanceChanged(
        at=NOW + timedelta(seconds=seconds),
        namespace="default",
        service="web",
        revision="web-00001",
        instance="web-00001-x",
        state=state,
    )


def pod(*waiting: str) -> Pod:
    statuses = tuple(
        PodContainerStatus(
            name="user-container",
            ready=False,
            restart_count=0,
            image="",
            image_id="",
            state=ContainerState(waiting=WaitingState(reason=reason)),
        )
        for reason in waiting
    )
    return Pod(
        metadata=ObjectMeta(name="web-00001-x", namespace="default"),
        spec=PodSpec(
            containers=(
                Container(name="user-container", image="x"),
                Container(name="side", image="y"),
            )
        ),
        status=PodStatus(container_statuses=statuses),
    )


@pytest.fixture
def running(client: Client) -> Client:
    """A pod that was started twice and has written in between."""
    client.registry.create(pod(), user="test")
    read = client.logs.read
    read(changed("starting", -100))
    read(line("first run", NOW - timedelta(seconds=99)))
    read(changed("starting", -50))
    for age, text in ((40, "one"), (30, "two"), (20, "three")):
        read(line(text, NOW - timedelta(seconds=age)))
    read(line("beside", NOW - timedelta(seconds=10), container="side"))
    read(line("foreign", NOW, instance="web-00001-y"))
    return client


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param("", "one\ntwo\nthree\n", id="of the last start"),
        pytest.param("?container=side", "beside\n", id="another container"),
        pytest.param("?container=queue-proxy", "", id="the container that is knlite itself"),
        pytest.param("?tailLines=1", "three\n", id="the end"),
        pytest.param("?tailLines=0", "", id="nothing of it"),
        pytest.param("?sinceSeconds=35", "two\nthree\n", id="for some seconds"),
        pytest.param("?sinceTime=2026-01-01T23:59:35Z", "three\n", id="since a time"),
        pytest.param("?previous=true", "first run\n", id="of the start before"),
        pytest.param("?limitBytes=5", "one\nt", id="some bytes"),
        pytest.param(
            "?tailLines=1&timestamps=true",
            "2026-01-01T23:59:40.000000000Z three\n",
            id="with times",
        ),
    ],
)
def test_logs(running: Client, query: str, text: str) -> None:
    answer = running.get(LOG + query)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == text


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("?container=no", 400, "container no is not valid for pod web-00001-x"),
        ("?tailLines=-1", 400, "tailLines"),
        ("?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 400, "at most one of"),
        ("?sinceTime=yesterday", 400, "sinceTime"),
    ],
)
def test_what_cannot_be_asked(running: Client, query: str, code: int, message: str) -> None:
    answer = running.get(LOG + query)
    assert answer.status_code == code
    assert message in answer.json()["message"]


def test_there_may_be_no_start_before(client: Client) -> None:
    client.registry.create(pod(), user="test")
    client.logs.read(changed("starting", 0))
    answer = client.get(f"{LOG}?previous=true")
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        'previous terminated container "user-container" in pod "web-00001-x" not found',
    )


def test_a_container_that_has_not_begun_has_no_log(client: Client) -> None:
    client.registry.create(pod("ContainerCreating"), user="test")
    assert client.get(LOG).json()["message"] == (
        'container "user-container" in pod "web-00001-x" is waiting to start: ContainerCreating'
    )


def test_no_pod_no_log(client: Client) -> None:
    assert client.get(LOG).json()["message"] == 'pods "web-00001-x" not found'


def test_the_log_of_an_instance_stays_a_while_after_its_end(client: Client) -> None:
    client.logs.read(changed("starting", -9))
    client.logs.read(line("last words", NOW - timedelta(seconds=1)))
    client.logs.read(changed("gone", 0))
    for query in ("", "?follow=true"):
        assert client.get(LOG + query).text == "last words\n"


async def test_a_log_is_followed_until_the_instance_is_gone(running: Client) -> None:
    async with streaming(running.door, f"{LOG}?follow=true&tailLines=1") as stream:
        assert await stream.line() == b"three"
        running.logs.read(line("four", NOW + timedelta(seconds=1)))
        running.logs.read(line("foreign", NOW, instance="web-00001-y"))
        running.logs.read(line("five", NOW + timedelta(seconds=2)))
        assert await stream.line() == b"four"
        assert await stream.line() == b"five"
        running.logs.read(changed("gone", 3))
        await stream.end()


async def test_a_log_is_followed_no_longer_than_the_run(running: Client) -> None:
    async with streaming(running.door, f"{LOG}?follow=true&tailLines=1") as stream:
        await stream.line()
        running.door.ending.end()
        await stream.end()
