"""Hosts of the cluster that take events (Eventing data plane reference §8)."""

from collections.abc import Sequence

import pytest

from knlite.dataplane.eventhosts import Answer, EventHosts, Handler


def handler(answer: str) -> Handler:
    async def handle(
        method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, client: str
    ) -> Answer:
        return Answer(200, (), answer.encode())

    return handle


SINK = handler("sink")


@pytest.mark.parametrize(
    "host",
    [
        "job-sink.knative-eventing.svc.cluster.local",
        "job-sink.knative-eventing.svc.cluster.local:80",
        "job-sink.knative-eventing.svc.cluster.local.",
        "Job-Sink.knative-eventing.svc",
        "job-sink.knative-eventing:8080",
    ],
)
def test_a_host_is_known_by_all_its_names(host: str) -> None:
    hosts = EventHosts()
    hosts.serve("job-sink.knative-eventing.svc.cluster.local", SINK)
    assert hosts.find(host) is SINK


@pytest.mark.parametrize(
    "host", ["", "job-sink", "job-sink.default", "job-sink.knative-eventing.example.com", "[::1]"]
)
def test_other_hosts_are_not(host: str) -> None:
    hosts = EventHosts()
    hosts.serve("job-sink.knative-eventing", SINK)
    assert hosts.find(host) is None


def test_a_host_that_was_left_is_nobodys() -> None:
    hosts = EventHosts()
    hosts.serve("a.b", SINK)
    hosts.leave("a.b.svc.cluster.local")
    hosts.leave("never.there")
    assert hosts.find("a.b") is None


def test_an_ending_stands_for_many_hosts() -> None:
    asked = []

    def handler_for(namespace: str, name: str) -> Handler:
        asked.append((namespace, name))
        return SINK

    hosts = EventHosts()
    hosts.serve_all("-kn-channel", handler_for)
    assert hosts.find("pipe-kn-channel.ns.svc.cluster.local:80") is SINK
    assert hosts.find("-kn-channel.ns") is None
    assert hosts.find("pipe-kn-channel") is None
    assert hosts.find("pipe-kn-channel.ns.example.com") is None
    assert asked == [("ns", "pipe")]


def test_a_host_of_its_own_goes_before_an_ending() -> None:
    hosts = EventHosts()
    hosts.serve_all("-kn-channel", lambda _, __: handler("channel"))
    hosts.serve("pipe-kn-channel.ns", SINK)
    assert hosts.find("pipe-kn-channel.ns") is SINK
