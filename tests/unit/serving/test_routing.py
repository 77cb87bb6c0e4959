"""Hosts and paths to revisions (Knative reference §5; README, Addresses)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import RevisionName
from knlite.serving.routing import (
    Nowhere,
    RoutingTable,
    ToBroker,
    ToIndex,
    ToRevision,
    routing_table,
)

WEB = RevisionName("default", "web-00001")


def split(name: str, percent: int) -> Split:
    return Split(service_namespace="default", service_name=name, percent=percent)


def table(*splits: Split) -> RoutingTable:
    hosts = ("web.default", "web.default.svc", "web.default.svc.cluster.local")
    rules = (
        Rule(hosts=hosts, visibility="ClusterLocal", splits=splits),
        Rule(hosts=("web.default.localhost",), splits=splits),
    )
    ingress = Ingress(spec=IngressSpec(rules=rules))
    return routing_table([ingress], {}, {}, [("default", "b")])


ONE = table(split("web-00001", 100))


@pytest.mark.parametrize(
    "host",
    [
        "web.default.localhost",
        "web.default.localhost:8080",
        "WEB.Default.LOCALHOST",
        "web.default.localhost.",
        "web.default",
        "web.default.svc",
        "web.default.svc.cluster.local:80",
    ],
)
def test_every_name_of_a_service_leads_to_it(host: str) -> None:
    assert ONE.match(host, "/x", 0.0) == ToRevision(WEB, "/x")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ToIndex()),
        ("/ns/default/services/web", ToRevision(WEB, "/", "web.default.svc.cluster.local")),
        ("/ns/default/services/web/", ToRevision(WEB, "/", "web.default.svc.cluster.local")),
        ("/ns/default/services/web/a/b", ToRevision(WEB, "/a/b", "web.default.svc.cluster.local")),
        ("/ns/default/services/web//a", ToRevision(WEB, "//a", "web.default.svc.cluster.local")),
        ("/ns/default/services/none/a", Nowhere()),
        ("/ns/default/brokers/b", ToBroker("default", "b")),
        ("/ns/default/brokers/b/c", ToBroker("default", "b/c")),
        ("/ns/default/nonsense/x", Nowhere()),
        ("/ns/default", Nowhere()),
        ("/favicon.ico", Nowhere()),
    ],
)
@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost"])
def test_path_addresses_on_bare_loopback(host: str, path: str, expected: object) -> None:
    assert ONE.match(host, path, 0.0) == expected


@pytest.mark.parametrize("suffix", ["", ".svc", ".svc.cluster.local", ".svc.cluster.local:8080"])
def test_the_brokers_host_of_the_cluster(suffix: str) -> None:
    host = f"broker-ingress.knative-eventing{suffix}"
    assert ONE.match(host, "/default/b", 0.0) == ToBroker("default", "b")


@pytest.mark.parametrize(
    "host", ["x.default.localhost", "web.other.localhost", "example.com", "a:b"]
)
def test_other_hosts_lead_nowhere(host: str) -> None:
    assert ONE.match(host, "/", 0.0) == Nowhere()


@given(st.text(max_size=60), st.text(max_size=60), st.floats(0, 1, exclude_max=True))
def test_no_host_and_no_path_raises(host: str, path: str, draw: float) -> None:
    ONE.match(host, path, draw)


@given(st.floats(0, 1, exclude_max=True))
def test_shares_are_kept(draw: float) -> None:
    found = table(split("a", 90), split("zero", 0), split("b", 10)).match("web.default", "/", draw)
    assert isinstance(found, ToRevision)
    assert found.revision.name == ("a" if draw < 0.9 else "b")


def test_a_route_without_a_ready_revision_leads_to_its_newest() -> None:
    hosts = {("default", "new"): ("new.default.localhost",)}
    newest = {("default", "new"): RevisionName("default", "new-00001")}
    found = routing_table([], newest, hosts, []).match("new.default.localhost", "/", 0.0)
    assert found == ToRevision(RevisionName("default", "new-00001"), "/")
