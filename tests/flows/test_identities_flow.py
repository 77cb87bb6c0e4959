"""Identities of senders at work: who is let in, and who sends with which token.

Eventing reference §1.6, §1.7, §13, §19 (BrokerSupportsOIDC, BrokerSupportsAuthZ,
BrokerSendsEventsWithOIDCSupport, ChannelImplSupportsOIDC, ChannelImplSupportsAuthZ,
ChannelSupportsAuthZ, SequenceSendsEventsOIDC, SequenceSupportsAuthZ); Eventing data plane
reference §1.1 (rows 7 and 8), §2.1 (Authorization).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from knlite.dataplane.sender import Answered
from knlite.errors import Unauthenticated
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.httpcodec import encode_binary, encode_structured
from knlite.eventing.reconcilers import eventpolicy
from knlite.facts import DeliveryAttempted, EventRefused
from knlite.issuer import LIFETIME, Issuer
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventpolicy import EventPolicy
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.meta import ObjectMeta
from tests.flows.eventflow import STARTED, always, event, reply, settled
from tests.flows.test_messaging_flow import Shop, opened, sequence, subscription
from tests.unit.eventing.reconcilers.plane import NAMESPACE, RECONCILERS, Plane, document, ref

A, SINK = "http://a.test/", "http://sink.test/"
GROUP = "eventing.knative.dev/v1"
BROKER = "eventing.knative.dev/broker/shop/main"
PIPE = "messaging.knative.dev/inmemorychannel/shop/pipe"
Encode = Callable[[CloudEvent], tuple[list[tuple[str, str]], bytes]]


class Wall:
    def __init__(self) -> None:
        self.now = STARTED

    def __call__(self) -> datetime:
        return self.now


class Secured:
    """A shop whose senders say who they are."""

    def __init__(self, shop: Shop, issuer: Issuer, wall: Wall) -> None:
        self.shop, self.issuer, self.wall = shop, issuer, wall

    def token(self, account: str = "web", *, of: str = NAMESPACE, audience: str = BROKER) -> str:
        return self.issuer.issue(of, account, [audience])

    async def post(self, sent: CloudEvent, token: str = "", encode: Encode = encode_binary) -> int:
        """Send *sent* to the Broker ``main``."""
        headers, body = encode(sent)
        also = [("Authorization", f"Bearer {token}")] if token else []
        answer = await self.shop.ingress.to_broker(
            NAMESPACE, "main", "POST", "/shop/main", [*headers, *also], body
        )
        await settled()
        return answer.status

    async def put(self, channel: str, sent: CloudEvent, token: str = "") -> int:
        """The same for a channel."""
        also = [("Authorization", f"Bearer {token}")] if token else []
        return await self.shop.put(channel, sent, *also)

    def refusals(self) -> list[tuple[str, int, str, str]]:
        return [
            (fact.kind, fact.status, fact.event_id, fact.why)
            for fact in self.shop.facts
            if isinstance(fact, EventRefused)
        ]

    def bearers(self, url: str, audience: str) -> list[str]:
        """Whose tokens came to *url*."""
        found = []
        for call in self.shop.subscribers.to(url):
            given = [value for name, value in call.headers if name == "Authorization"]
            found += [self.issuer.subject(each.removeprefix("Bearer "), audience) for each in given]
        return found


def features(**flags: str) -> ConfigMap:
    metadata = ObjectMeta(name="config-features", namespace="knative-eventing")
    return ConfigMap(metadata=metadata, data=flags)


@asynccontextmanager
async def secured(*trees: Mapping[str, object], **flags: str) -> AsyncIterator[Secured]:
    flags = {"authentication-oidc": "enabled", **flags}
    reconcilers = ((EventPolicy, eventpolicy.reconcile), *RECONCILERS)
    plane = Plane(reconcilers)
    plane.registry.apply(features(**flags), user="test")
    wall = Wall()
    issuer = Issuer(wall)
    async with opened(*trees, plane=plane, tokens=issuer) as shop:
        yield Secured(shop, issuer, wall)


def trigger(name: str, **spec: object) -> dict[str, object]:
    return document("Trigger", name, GROUP, broker="main", **spec)


def policy(name: str, *subjects: object, **spec: object) -> dict[str, object]:
    kind = "eventing.knative.dev/v1alpha1"
    return document("EventPolicy", name, kind, **{"from": list(subjects)}, **spec)


MAIN = document("Broker", "main", GROUP)
TO_A = trigger("t", subscriber={"uri": A})
TO_MAIN = {"ref": ref("Broker", "main", GROUP)}
TO_PIPE = {"ref": ref("InMemoryChannel", "pipe")}


async def test_a_broker_lets_in_who_has_a_token_for_it() -> None:
    async with secured(MAIN, TO_A) as it:
        address = it.shop.plane.get(Broker, "main").status.address
        assert address is not None
        assert address.audience == BROKER
        good = it.token()
        assert await it.post(event("valid"), good) == 202
        assert await it.post(event("none")) == 401
        assert await it.post(event("wrong"), it.token(audience="another")) == 401
        head, claims, signature = good.split(".")
        assert await it.post(event("corrupt"), f"{head}.{claims}.{signature[::-1]}") == 401
        it.wall.now += timedelta(seconds=LIFETIME + 60)
        assert await it.post(event("expired"), good) == 401
        assert it.shop.got(A) == ["valid"]
        told = [(kind, status, event_id) for kind, status, event_id, _ in it.refusals()]
        assert told == [("Broker", 401, each) for each in ("none", "wrong", "corrupt", "expired")]
        assert all(good not in why for *_, why in it.refusals())


async def test_without_the_flag_nobody_is_asked() -> None:
    async with secured(MAIN, TO_A, **{"authentication-oidc": "disabled"}) as it:
        assert await it.post(event()) == 202
        assert it.shop.plane.condition(Trigger, "t", "OIDCIdentityCreated") == (
            "True",
            "authentication-oidc feature disabled",
            "",
        )
        assert it.shop.plane.get(Trigger, "t").status.auth is None
        assert not it.shop.plane.names(ServiceAccount)
        (call,) = it.shop.subscribers.calls
        assert "Authorization" not in dict(call.headers)


@pytest.mark.parametrize(
    ("mode", "own", "foreign"),
    [
        ("allow-same-namespace", 202, 403),
        ("allow-all", 202, 202),
        ("deny-all", 403, 403),
    ],
)
async def test_without_policies_the_mode_decides(mode: str, own: int, foreign: int) -> None:
    async with secured(MAIN, **{"default-authorization-mode": mode}) as it:
        assert await it.post(event("1"), it.token()) == own
        assert await it.post(event("2"), it.token(of="other")) == foreign
        assert await it.post(event("3")) == 401


@pytest.mark.parametrize("encode", [encode_binary, encode_structured], ids=["binary", "json"])
async def test_a_policy_names_who_may_send_what(encode: Encode) -> None:
    allowed = policy(
        "p",
        {"sub": "system:serviceaccount:other:web*"},
        to=[TO_MAIN],
        filters=[{"exact": {"type": "order"}}],
    )
    async with secured(MAIN, TO_A, allowed) as it:
        web, nobody = it.token("web-1", of="other"), it.token("mail")
        assert await it.post(event("1", type="order"), web, encode) == 202
        assert await it.post(event("2", type="t"), web, encode) == 403
        assert await it.post(event("3", type="order"), nobody, encode) == 403
        assert it.shop.got(A) == ["1"]
        whys = [why for *_, why in it.refusals()]
        assert 'type is "t", and "order" is wanted' in whys[0]
        assert "system:serviceaccount:shop:mail is not among those" in whys[1]
        names = [each.name for each in it.shop.plane.get(Broker, "main").status.policies]
        assert names == ["p"]


async def test_a_policy_that_is_not_ready_makes_its_broker_so() -> None:
    missing = {"ref": {**ref("Trigger", "none", GROUP), "namespace": NAMESPACE}}
    async with secured(MAIN, policy("p", missing, to=[TO_MAIN])) as it:
        why = ("False", "EventPoliciesNotReady", "event policies p are not ready")
        assert it.shop.plane.condition(Broker, "main", "EventPoliciesReady") == why
        assert it.shop.plane.condition(Broker, "main") == why


async def test_a_trigger_sends_in_its_own_name_to_all_who_ask() -> None:
    spec = {
        "subscriber": {"uri": A, "audience": "a"},
        "delivery": {"deadLetterSink": {"uri": SINK, "audience": "sink"}, "retry": 0},
    }
    async with secured(MAIN, trigger("t", **spec)) as it:
        account = "t-oidc-eventing.knative.dev-trigger"
        assert account in it.shop.plane.names(ServiceAccount)
        auth = it.shop.plane.get(Trigger, "t").status.auth
        assert auth is not None
        assert auth.service_account_name == account
        it.shop.answer(A, always(Answered(400)))
        await it.post(event(), it.token())
        subject = f"system:serviceaccount:shop:{account}"
        assert it.bearers(A, "a") == [subject]
        assert it.bearers(SINK, "sink") == [subject]
        with pytest.raises(Unauthenticated):
            it.bearers(SINK, "a")


@pytest.mark.parametrize("named", [True, False])
async def test_replies_come_in_under_the_name_of_their_trigger(named: bool) -> None:
    subject = {"ref": {**ref("Trigger", "t", GROUP), "namespace": NAMESPACE}}
    web = {"sub": "system:serviceaccount:shop:web"}
    asked = trigger("t", subscriber={"uri": A}, filter={"attributes": {"type": "question"}})
    other = trigger("u", subscriber={"uri": SINK}, filter={"attributes": {"type": "answer"}})
    names = [web, subject] if named else [web]
    async with secured(MAIN, asked, other, policy("p", *names, to=[TO_MAIN])) as it:
        it.shop.answer(A, always(reply(event("2", type="answer"))))
        assert await it.post(event("1", type="question"), it.token()) == 202
        assert it.shop.got(SINK) == (["2"] if named else [])
        replied = [
            (fact.status, fact.outcome)
            for fact in it.shop.facts
            if isinstance(fact, DeliveryAttempted) and fact.leg == "reply"
        ]
        assert replied == [(202, "delivered") if named else (403, "failed")]


async def test_a_channel_asks_and_sends_as_well() -> None:
    spec = {"reply": {"uri": SINK, "audience": "sink"}}
    pipe = ref("InMemoryChannel", "pipe")
    async with secured(
        document("InMemoryChannel", "pipe"),
        subscription("s", pipe, A, **spec),
        policy("p", {"sub": "system:serviceaccount:shop:web"}, to=[TO_PIPE]),
    ) as it:
        it.shop.answer(A, always(reply(event("2"))))
        assert await it.put("pipe", event("0")) == 401
        assert await it.put("pipe", event("0"), it.token("mail", audience=PIPE)) == 403
        assert await it.put("pipe", event("0"), it.token()) == 401
        assert await it.put("pipe", event("1"), it.token(audience=PIPE)) == 202
        assert it.shop.got(A) == ["1"]
        who = "system:serviceaccount:shop:s-oidc-messaging.knative.dev-subscription"
        assert it.bearers(SINK, "sink") == [who]


async def test_what_applies_to_a_channel_applies_to_the_one_behind_it() -> None:
    target = {"ref": ref("Channel", "pipe")}
    async with secured(
        document("Channel", "pipe"),
        policy("p", {"sub": "system:serviceaccount:shop:web"}, to=[target]),
    ) as it:
        address = it.shop.plane.get(Channel, "pipe").status.address
        assert address is not None
        assert address.audience == PIPE
        assert await it.put("pipe", event("1"), it.token(audience=PIPE)) == 202
        assert await it.put("pipe", event("2"), it.token("mail", audience=PIPE)) == 403


def inner(step: int) -> str:
    return f"messaging.knative.dev/inmemorychannel/shop/q-kn-sequence-{step}"


async def test_only_its_own_parts_send_between_the_steps_of_a_sequence() -> None:
    target = {"ref": ref("Sequence", "q", "flows.knative.dev/v1")}
    allowed = policy("p", {"sub": "system:serviceaccount:shop:web"}, to=[target])
    flags = {"default-authorization-mode": "deny-all"}
    async with secured(sequence(A, SINK), allowed, **flags) as it:
        status = it.shop.plane.get(Sequence, "q").status
        assert status.address is not None
        assert status.address.audience == inner(0)
        assert status.auth is not None
        assert len(status.auth.service_account_names) == 2
        it.shop.answer(A, always(reply(event("2"))))
        assert await it.put("q-kn-sequence-0", event("1"), it.token(audience=inner(0))) == 202
        assert (it.shop.got(A), it.shop.got(SINK)) == (["1"], ["2"])
        mail = it.token("mail", audience=inner(0))
        assert await it.put("q-kn-sequence-0", event("1"), mail) == 403
        assert await it.put("q-kn-sequence-1", event("1"), it.token(audience=inner(1))) == 403


async def test_a_token_of_the_sender_is_not_passed_on() -> None:
    async with secured(MAIN, TO_A) as it:
        await it.post(event(), it.token())
        (call,) = it.shop.subscribers.calls
        assert "authorization" not in {name.lower() for name, _ in call.headers}


async def test_no_event_is_refused_while_identities_are_being_switched_on() -> None:
    """Guards are there at once; statuses, and with them accounts and audiences, come later."""
    pipe = ref("InMemoryChannel", "pipe")
    to_pipe = trigger("t", subscriber={"ref": pipe})
    off = {"authentication-oidc": "disabled"}
    async with secured(
        MAIN, document("InMemoryChannel", "pipe"), subscription("s", pipe, A), to_pipe, **off
    ) as it:
        it.shop.plane.registry.apply(features(**{"authentication-oidc": "enabled"}), user="test")
        it.shop.push()
        assert it.shop.plane.get(Trigger, "t").status.auth is None
        assert await it.post(event("1")) == 401
        assert await it.post(event("2"), it.token()) == 202
        assert it.shop.got(A) == ["2"]
        it.shop.plane.settle()
        it.shop.push()
        assert await it.post(event("3"), it.token()) == 202
        assert it.shop.got(A) == ["2", "3"]
