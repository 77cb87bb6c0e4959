"""Channels, Sequences and Parallels on the real executable, with a program at every step."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.clients import Client
from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

STEPS = Path(__file__).parent / "services" / "steps" / "app.py"
MESSAGING, FLOWS = "messaging.knative.dev/v1", "flows.knative.dev/v1"


def document(kind: str, name: str, api_version: str, **spec: object) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def to(path: str) -> dict[str, Any]:
    """The Service of the steps, at *path*."""
    ref = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "steps"}
    return {"ref": ref, "uri": path}


def channel(name: str) -> dict[str, str]:
    return {"apiVersion": MESSAGING, "kind": "Channel", "name": name}


def steps() -> dict[str, Any]:
    command = shlex.join((sys.executable, str(STEPS)))
    template = {
        "metadata": {"annotations": {"knlite.dev/command": command}},
        "spec": {"containers": [{"image": "example.com/steps"}]},
    }
    return document("Service", "steps", "serving.knative.dev/v1", template=template)


def send(knlite: Knlite, address: str, data: str, event_type: str) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": data,
        "ce-source": "/test",
        "ce-type": event_type,
        "content-type": "text/plain",
    }
    answer = knlite.http.post(address, content=data, headers=headers)
    assert answer.status_code == 202, answer.text


def test_events_go_through_channels_sequences_and_parallels(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    flow = [
        steps(),
        document("Channel", "results", MESSAGING),
        document(
            "Subscription", "log", MESSAGING, channel=channel("results"), subscriber=to("/log")
        ),
        document(
            "Sequence",
            "abc",
            FLOWS,
            steps=[to("/a"), to("/b"), to("/c")],
            reply={"ref": channel("results")},
        ),
        document(
            "Parallel",
            "both",
            FLOWS,
            branches=[{"subscriber": to("/x")}, {"filter": to("/f"), "subscriber": to("/y")}],
            reply={"ref": channel("results")},
        ),
    ]
    (tmp_path / "flow.yaml").write_text(yaml.safe_dump_all(flow))
    knlite = up(tmp_path, "--runtime", "process").settled()
    [table] = knlite.seen("Settled")
    urls = {each["kind"]: each["url"] for each in table["objects"]}
    assert {each["ready"] for each in table["objects"]} == {"True"}
    assert set(urls) == {"Service", "Channel", "Subscription", "Sequence", "Parallel"}

    send(knlite, urls["Sequence"], "1", "sequence")
    wait_until(lambda: knlite.logged("steps", "got sequence 1abc"), "the end of the sequence")
    send(knlite, urls["Parallel"], "2", "parallel")
    for end in ("2x", "2fy"):
        wait_until(lambda end=end: knlite.logged("steps", f"got parallel {end}"), "a branch")
    send(knlite, urls["Channel"], "3", "channel")
    wait_until(lambda: knlite.logged("steps", "got channel 3"), "the subscription")


def test_kubectl_sees_the_parts_of_a_sequence_and_deletes_all_of_it(
    kubectl: Client, knlite: Knlite
) -> None:
    sequence = document(
        "Sequence",
        "q",
        FLOWS,
        steps=[{"uri": "http://127.0.0.1:9/"}, {"uri": "http://127.0.0.1:9/"}],
    )
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(sequence))
    kubectl("wait", "--for=condition=Ready", "sequence/q", "--timeout=60s")
    names = kubectl("get", "imc,sub", "-o", "name").split()
    assert names == [
        f"{kind}.messaging.knative.dev/q-kn-sequence-{step}"
        for kind in ("inmemorychannel", "subscription")
        for step in (0, 1)
    ]
    assert kubectl("get", "svc", "q-kn-sequence-1-kn-channel", "-o", "jsonpath={.spec}") == (
        '{"externalName":"imc-dispatcher.knative-eventing.svc.cluster.local","ports":'
        '[{"name":"http","port":80,"protocol":"TCP"}],"type":"ExternalName"}'
    )
    refused = kubectl.refused(
        "patch", "imc", "q-kn-sequence-0", "--type=merge", "-p", '{"spec":{"subscribers":[]}}'
    )
    assert "Channel.Spec.Subscribers changed by user kubernetes-admin" in refused
    kubectl("delete", "sequence", "q")
    assert kubectl("get", "imc,sub", "-o", "name") == ""
    assert knlite.http.post("/ns/default/channels/q-kn-sequence-0").status_code != 202


def test_kn_makes_channels_and_subscriptions(kn: Client) -> None:
    kn("channel", "create", "one")
    kn("channel", "create", "two", "--type", "messaging.knative.dev:v1:InMemoryChannel")
    _, *rows = kn("channel", "list").splitlines()
    assert [row.split()[:2] + row.split()[4:5] for row in rows] == [
        ["one", "InMemoryChannel", "True"],
        ["two", "InMemoryChannel", "True"],
    ]
    assert "InMemoryChannel" in kn("channel", "list-types")
    kn(
        "subscription", "create", "s", "--channel", "one", "--sink", "http://127.0.0.1:9",
        "--sink-reply", "channel:two", "--sink-dead-letter", "channel:two",
    )  # fmt: skip
    kn("subscription", "update", "s", "--sink", "http://127.0.0.1:10")
    _, row = kn("subscription", "list").splitlines()
    assert row.split() == [
        "s", "Channel:one", "http://127.0.0.1:10", "channel:two", "channel:two", "True",
    ]  # fmt: skip
    assert "++ AddedToChannel" in kn("subscription", "describe", "s")
    kn("subscription", "delete", "s")
    for name in ("one", "two"):
        kn("channel", "delete", name)
    assert "No channels found" in kn("channel", "list")
