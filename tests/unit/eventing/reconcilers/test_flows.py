"""Eventing reference §7, §20.1: the children of Sequences and Parallels, and what they say."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.reconcile import Key
from tests.unit.eventing.reconcilers.plane import (
    FLOWS,
    MESSAGING,
    NAMESPACE,
    RECONCILERS,
    Plane,
    document,
    ref,
)

A, B, C = ({"uri": f"http://{name}.example"} for name in "abc")
MISSING = {"ref": ref("Channel", "missing")}
NOT_READY = "Subscriptions are not ready yet, or there are none"


def sequence(*steps: object, **spec: object) -> dict[str, Any]:
    return document("Sequence", "q", FLOWS, steps=list(steps), **spec)


def parallel(*branches: object, **spec: object) -> dict[str, Any]:
    return document("Parallel", "p", FLOWS, branches=list(branches), **spec)


def host(name: str) -> str:
    return f"http://{name}-kn-channel.shop.svc.cluster.local"


def ways(plane: Plane) -> dict[str, list[tuple[str, str, str]]]:
    """Of each channel: (subscription, subscriber, reply)."""
    return {
        channel.metadata.name: [
            (each.name, each.subscriber_uri, each.reply_uri) for each in channel.spec.subscribers
        ]
        for channel in plane.registry.view.listed(InMemoryChannel, "")
    }


def test_a_sequence_leads_from_step_to_step_and_then_to_the_reply() -> None:
    plane = Plane()
    plane.apply(
        sequence(A, {**B, "delivery": {"retry": 2}}, C, reply={"uri": "http://end.example"})
    )
    assert ways(plane) == {
        "q-kn-sequence-0": [("q-kn-sequence-0", "http://a.example", host("q-kn-sequence-1"))],
        "q-kn-sequence-1": [("q-kn-sequence-1", "http://b.example", host("q-kn-sequence-2"))],
        "q-kn-sequence-2": [("q-kn-sequence-2", "http://c.example", "http://end.example")],
    }
    [entry] = plane.get(InMemoryChannel, "q-kn-sequence-1").spec.subscribers
    assert entry.delivery == DeliverySpec(retry=2)
    for condition in ("Ready", "ChannelsReady", "SubscriptionsReady", "Addressable"):
        assert plane.condition(Sequence, "q", condition) == ("True", "", "")
    status = plane.get(Sequence, "q").status
    assert status.address is not None
    assert (status.address.name, status.address.url) == (None, host("q-kn-sequence-0"))
    assert [each.channel.name for each in status.channel_statuses] == [
        f"q-kn-sequence-{index}" for index in range(3)
    ]
    assert [each.ready and each.ready.status for each in status.subscription_statuses] == [
        "True"
    ] * 3


def test_steps_that_change_places_keep_their_subscriptions() -> None:
    plane = Plane()
    plane.apply(sequence(A, B))
    before = [plane.get(Subscription, f"q-kn-sequence-{index}").metadata.uid for index in (0, 1)]
    plane.apply(sequence(B, A))
    found = [plane.get(Subscription, f"q-kn-sequence-{index}") for index in (0, 1)]
    assert [each.metadata.uid for each in found] == before
    assert [each.spec.subscriber for each in found] == [
        Destination(uri="http://b.example"),
        Destination(uri="http://a.example"),
    ]
    assert plane.condition(Sequence, "q")[0] == "True"


def test_a_sequence_that_shrinks_and_grows_has_just_what_it_needs() -> None:
    plane = Plane()
    plane.apply(sequence(A, B, C), document("InMemoryChannel", "mine"))
    plane.apply(sequence(A))
    assert plane.names(Subscription) == ["q-kn-sequence-0"]
    assert plane.names(InMemoryChannel) == ["mine", "q-kn-sequence-0"]
    assert ways(plane)["q-kn-sequence-0"] == [("q-kn-sequence-0", "http://a.example", "")]
    plane.apply(sequence(A, B))
    assert plane.names(Subscription) == ["q-kn-sequence-0", "q-kn-sequence-1"]
    assert plane.condition(Sequence, "q")[0] == "True"


def test_with_another_kind_of_channel_the_subscriptions_are_made_anew() -> None:
    plane = Plane()
    plane.apply(sequence(A, B))
    before = plane.get(Subscription, "q-kn-sequence-0").metadata.uid
    plane.apply(sequence(A, B, channelTemplate={"apiVersion": MESSAGING, "kind": "Channel"}))
    plane.settle()
    assert plane.names(Channel) == ["q-kn-sequence-0", "q-kn-sequence-1"]
    after = plane.get(Subscription, "q-kn-sequence-0")
    assert after.metadata.uid != before
    assert after.spec.channel.kind == "Channel"
    assert plane.condition(Sequence, "q")[0] == "True"


def test_what_of_a_sequence_is_not_ready_is_unknown() -> None:
    plane = Plane()
    plane.apply(sequence(A, MISSING))
    assert plane.condition(Sequence, "q") == ("Unknown", "SubscriptionsNotReady", NOT_READY)
    first, second = plane.get(Sequence, "q").status.subscription_statuses
    assert first.ready is not None
    assert second.ready is not None
    assert (first.ready.status, second.ready.status) == ("True", "False")
    assert second.ready.reason == "SubscriberResolveFailed"
    plane.apply(document("Channel", "missing"))
    assert plane.condition(Sequence, "q") == ("True", "", "")


def test_what_of_a_parallel_is_not_ready_is_false() -> None:
    plane = Plane()
    plane.apply(parallel({"subscriber": A}, {"subscriber": MISSING}))
    assert plane.condition(Parallel, "p") == ("False", "SubscriptionsNotReady", NOT_READY)
    assert plane.condition(Parallel, "p", "ChannelsReady")[0] == "True"
    plane.apply(document("Channel", "missing"))
    assert plane.condition(Parallel, "p") == ("True", "", "")


@pytest.mark.parametrize(
    ("flow", "kind", "name", "status"),
    [
        pytest.param(sequence(A), Sequence, "q", "Unknown", id="sequence"),
        pytest.param(parallel({"subscriber": A}), Parallel, "p", "False", id="parallel"),
    ],
)
def test_a_channel_that_cannot_be_made_is_said(
    flow: dict[str, Any], kind: type, name: str, status: str
) -> None:
    plane = Plane()
    template = {"apiVersion": "messaging.knative.dev/v1alpha1", "kind": "NatsJetStreamChannel"}
    plane.apply({**flow, "spec": {**flow["spec"], "channelTemplate": template}})
    found, reason, message = plane.condition(kind, name)
    assert (found, reason) == (status, "ChannelsNotReady")
    assert 'no matches for kind "NatsJetStreamChannel"' in message


def test_a_subscription_that_would_be_refused_is_said() -> None:
    plane = Plane()
    plane.apply(parallel({"subscriber": A, "delivery": {"retry": -1}}))
    assert plane.condition(Parallel, "p") == (
        "False",
        "SubscriptionsNotReady",
        "failed to reconcile Subscription Objects for branch: 0 : invalid value: -1:"
        " spec.delivery.retry",
    )


def test_a_parallel_filters_or_does_not_and_replies_where_the_branch_says() -> None:
    plane = Plane()
    branches = (
        {"subscriber": A},
        {"filter": B, "subscriber": C, "reply": {"uri": "http://own.example"}},
    )
    plane.apply(parallel(*branches, reply={"uri": "http://all.example"}))
    assert ways(plane) == {
        "p-kn-parallel": [
            ("p-kn-parallel-filter-0", host("p-kn-parallel-0"), ""),
            ("p-kn-parallel-filter-1", "http://b.example", host("p-kn-parallel-1")),
        ],
        "p-kn-parallel-0": [("p-kn-parallel-0", "http://a.example", "http://all.example")],
        "p-kn-parallel-1": [("p-kn-parallel-1", "http://c.example", "http://own.example")],
    }
    assert plane.condition(Parallel, "p") == ("True", "", "")
    status = plane.get(Parallel, "p").status
    assert status.address is not None
    assert (status.address.name, status.address.url) == ("http", host("p-kn-parallel"))
    assert status.ingress_channel_status.channel.name == "p-kn-parallel"
    assert [each.filter_channel_status.channel.name for each in status.branch_statuses] == [
        "p-kn-parallel-0",
        "p-kn-parallel-1",
    ]


def test_branches_that_are_gone_leave_nothing_behind() -> None:
    plane = Plane()
    plane.apply(parallel({"subscriber": A}, {"filter": B, "subscriber": C}))
    plane.apply(parallel({"subscriber": A}))
    assert plane.names(InMemoryChannel) == ["p-kn-parallel", "p-kn-parallel-0"]
    assert plane.names(Subscription) == ["p-kn-parallel-0", "p-kn-parallel-filter-0"]
    assert [each[0] for each in ways(plane)["p-kn-parallel"]] == ["p-kn-parallel-filter-0"]


@pytest.mark.parametrize("kind", ["q", "p"])
def test_a_deleted_flow_leaves_nothing_behind(kind: str) -> None:
    plane = Plane()
    plane.apply(sequence(A, B), parallel({"filter": B, "subscriber": C}))
    plane.delete(Sequence if kind == "q" else Parallel, kind)
    for each in (Subscription, InMemoryChannel):
        assert not [name for name in plane.names(each) if name.startswith(f"{kind}-")]


SHOP = (
    document("Channel", "in", delivery={"deadLetterSink": {"ref": ref("InMemoryChannel", "dead")}}),
    document("InMemoryChannel", "dead"),
    document(
        "Subscription",
        "work",
        channel=ref("Channel", "in"),
        subscriber={"ref": ref("Sequence", "q", FLOWS)},
        reply={"ref": ref("Channel", "out")},
    ),
    document("Channel", "out"),
    sequence({"ref": ref("Parallel", "p", FLOWS)}, A, reply={"ref": ref("Channel", "out")}),
    parallel({"filter": A, "subscriber": B}, {"subscriber": {"ref": ref("Channel", "out")}}),
)


@pytest.fixture(scope="module")
def straight() -> Any:
    plane = Plane()
    plane.apply(*SHOP)
    return ways(plane)


@settings(max_examples=30)
@given(st.permutations(SHOP), st.permutations(RECONCILERS))
def test_whatever_comes_first_the_end_is_the_same(
    straight: Any, documents: list[dict[str, Any]], reconcilers: list[Any]
) -> None:
    plane = Plane(reconcilers)
    plane.apply(*documents)
    assert ways(plane) == straight
    for tree in SHOP:
        kind = next(each for each, _ in RECONCILERS if each.__name__ == tree["kind"])
        assert plane.condition(kind, tree["metadata"]["name"]) == ("True", "", "")


def test_a_namespace_that_goes_takes_all_of_it_along() -> None:
    plane = Plane()
    plane.apply(*SHOP)
    plane.registry.delete(Key(Namespace, "", NAMESPACE))
    plane.settle()
    assert plane.registry.view.get(Namespace, "", NAMESPACE) is None
    for kind, _ in RECONCILERS:
        assert plane.names(kind) == []
