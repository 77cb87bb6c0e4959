"""Eventing reference §1.4 and data plane reference §8: from a Destination to its URL."""

import pytest

from knlite.eventing.channels import channel_host
from knlite.eventing.destinations import Resolved, Unresolved, broker_url, resolve
from knlite.kinds.addressable import Addressable
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtransform import EventTransform, EventTransformStatus
from knlite.kinds.eventing.requestreply import RequestReply, RequestReplyStatus
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.serving import vantage
from tests.unit.fake_view import FakeView

ASKED = "http://request-reply.knative-eventing.svc.cluster.local/shop/ask"
INGRESS = "http://broker-ingress.knative-eventing.svc.cluster.local"


def meta(name: str) -> ObjectMeta:
    return ObjectMeta(name=name, namespace="shop")


def ksvc(name: str, url: str | None) -> Service:
    address = None if url is None else Addressable(url=url)
    return Service(metadata=meta(name), status=ServiceStatus(address=address))


VIEW = FakeView(
    ksvc("till", "http://till.shop.svc.cluster.local"),
    ksvc("new", None),
    ksvc("blank", ""),
    ksvc("hostless", "/path"),
    Route(metadata=meta("till")),
    Broker(
        metadata=meta("default"),
        status=BrokerStatus(address=Addressable(name="http", url=f"{INGRESS}/shop/default")),
    ),
    Broker(
        metadata=meta("both"),
        status=BrokerStatus(
            address=Addressable(name="http", url="http://single"),
            addresses=(
                Addressable(name="https", url="https://first"),
                Addressable(name="http", url="http://second"),
            ),
        ),
    ),
    EventTransform(
        metadata=meta("shout"),
        status=EventTransformStatus(
            address=Addressable(name="http", url="http://shout-jsonata.shop.svc.cluster.local")
        ),
    ),
    RequestReply(
        metadata=meta("ask"),
        status=RequestReplyStatus(address=Addressable(name="http", url=ASKED)),
    ),
    Trigger(metadata=meta("t")),
    ConfigMap(metadata=meta("cm")),
)


def serving(name: str, **more: str) -> KReference:
    return KReference(api_version="serving.knative.dev/v1", kind="Service", name=name, **more)


def broker(name: str, **more: str) -> KReference:
    return KReference(api_version="eventing.knative.dev/v1", kind="Broker", name=name, **more)


def alpha(kind: str, name: str) -> KReference:
    return KReference(api_version="eventing.knative.dev/v1alpha1", kind=kind, name=name)


CORE = KReference(api_version="v1", kind="Service", name="till")


@pytest.mark.parametrize(
    ("destination", "url"),
    [
        pytest.param(Destination(uri="http://x.example/p?q"), "http://x.example/p?q", id="uri"),
        pytest.param(
            Destination(ref=serving("till")), "http://till.shop.svc.cluster.local", id="ksvc"
        ),
        pytest.param(
            Destination(ref=serving("till"), uri="orders?x=1"),
            "http://till.shop.svc.cluster.local/orders?x=1",
            id="ksvc-and-path",
        ),
        pytest.param(Destination(ref=broker("default")), f"{INGRESS}/shop/default", id="broker"),
        pytest.param(
            Destination(ref=broker("default"), uri="/x"), f"{INGRESS}/x", id="slash-replaces-path"
        ),
        pytest.param(
            Destination(ref=broker("default"), uri="x"), f"{INGRESS}/shop/x", id="last-part"
        ),
        pytest.param(
            Destination(ref=alpha("EventTransform", "shout")),
            "http://shout-jsonata.shop.svc.cluster.local",
            id="transform",
        ),
        pytest.param(Destination(ref=alpha("RequestReply", "ask")), ASKED, id="request-reply"),
        pytest.param(Destination(ref=broker("both")), "https://first", id="first-of-several"),
        pytest.param(
            Destination(ref=broker("both", address="http")), "http://second", id="address-by-name"
        ),
        pytest.param(
            Destination(ref=KReference(group="eventing.knative.dev", kind="Broker", name="both")),
            "https://first",
            id="by-group",
        ),
        pytest.param(
            Destination(ref=CORE), "http://till.shop.svc.cluster.local", id="kubernetes-service"
        ),
        pytest.param(
            Destination(ref=CORE, ca_certs="pem"),
            "https://till.shop.svc.cluster.local",
            id="kubernetes-service-over-tls",
        ),
    ],
)
def test_finds_the_url(destination: Destination, url: str) -> None:
    found = resolve(destination, "shop", VIEW)
    assert isinstance(found, Resolved)
    assert found.url == url


SHOWN = "Namespace = shop, Name = {}, APIVersion = {}, Group = , Address = {}"
NEW = SHOWN.format("new", "serving.knative.dev/v1", "")
TRIGGER = KReference(api_version="eventing.knative.dev/v1", kind="Trigger", name="t")
CHANNEL = KReference(api_version="messaging.knative.dev/v1", kind="InMemoryChannel", name="c")


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        pytest.param(
            Destination(), "destination missing Ref and URI, expected at least one", id="nothing"
        ),
        pytest.param(
            Destination(uri="/path"),
            'URI is not absolute (both scheme and host should be non-empty): "/path"',
            id="relative",
        ),
        pytest.param(
            Destination(ref=serving("till"), uri="http://x.example"),
            "absolute URI is not allowed when Ref or [apiVersion, kind, name] exists",
            id="absolute-beside-ref",
        ),
        pytest.param(
            Destination(ref=serving("gone")),
            'failed to get object shop/gone: services.serving.knative.dev "gone" not found',
            id="no-ksvc",
        ),
        pytest.param(
            Destination(ref=serving("till", namespace="other")),
            'failed to get object other/till: services.serving.knative.dev "till" not found',
            id="other-namespace",
        ),
        pytest.param(
            Destination(ref=KReference(api_version="v1", kind="Service", name="gone")),
            'failed to get object shop/gone: services "gone" not found',
            id="no-kubernetes-service",
        ),
        pytest.param(
            Destination(ref=CHANNEL),
            'failed to get object shop/c: inmemorychannels.messaging.knative.dev "c" not found',
            id="unknown-kind",
        ),
        pytest.param(
            Destination(ref=serving("new")), f"address not set for Kind = Service, {NEW}", id="new"
        ),
        pytest.param(
            Destination(ref=TRIGGER),
            "address not set for Kind = Trigger, "
            + SHOWN.format("t", "eventing.knative.dev/v1", ""),
            id="not-addressable",
        ),
        pytest.param(
            Destination(ref=broker("both", address="x")),
            'address with name "x" not found for Kind = Broker, '
            + SHOWN.format("both", "eventing.knative.dev/v1", "x"),
            id="no-such-address",
        ),
        pytest.param(
            Destination(ref=serving("blank")),
            "URL missing in address of Kind = Service, "
            + SHOWN.format("blank", "serving.knative.dev/v1", ""),
            id="no-url",
        ),
        pytest.param(
            Destination(ref=serving("hostless")),
            "hostname missing in address of Kind = Service, "
            + SHOWN.format("hostless", "serving.knative.dev/v1", ""),
            id="no-host",
        ),
    ],
)
def test_says_why_there_is_no_url(destination: Destination, message: str) -> None:
    assert resolve(destination, "shop", VIEW) == Unresolved(message)


def test_certificates_and_audience_come_along() -> None:
    destination = Destination(uri="https://x.example", ca_certs="pem", audience="me")
    assert resolve(destination, "shop", VIEW) == Resolved("https://x.example", "pem", "me")


def test_a_brokers_url_is_one_that_instances_can_have_rewritten() -> None:
    url = broker_url("shop", "default")
    seen = vantage.seen_from(vantage.ByPath("http://127.0.0.1:8080"), url)
    assert seen == "http://127.0.0.1:8080/ns/shop/brokers/default"


def test_so_is_a_channels() -> None:
    url = f"http://{channel_host('shop', 'orders')}"
    seen = vantage.seen_from(vantage.ByPath("http://127.0.0.1:8080"), url)
    assert seen == "http://127.0.0.1:8080/ns/shop/channels/orders"


def test_a_uri_that_nobody_can_read_is_told_and_not_raised() -> None:
    """Admission does not look at the delivery of an InMemoryChannel (Eventing reference §5)."""
    broken = "http://[::1"
    alone = resolve(Destination(uri=broken), "shop", VIEW)
    assert alone == Unresolved('invalid URI "http://[::1": Invalid IPv6 URL')
    broker = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
    beside = resolve(Destination(ref=broker, uri="//[::1"), "shop", VIEW)
    assert beside == Unresolved('invalid URI "//[::1": Invalid IPv6 URL')
