"""Hosts and paths to revisions (Knative reference §5; README, Addresses)."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from knlite.kinds.serving.ingress import (
    HeaderMatch,
    HTTPOption,
    Ingress,
    IngressSpec,
    IngressTLS,
    Path,
    Rule,
    Split,
)
from knlite.serving.instance import RevisionName
from knlite.serving.routing import (
    MEMO_LEAST,
    InsideOnly,
    Nowhere,
    RoutingTable,
    ToBroker,
    ToHTTPS,
    ToIndex,
    ToRevision,
)
from knlite.serving.routingtable import routing_table

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
    return routing_table([ingress], {}, {}, [("default", "b")]).inside()


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


# The entry for requests whose host is a revision's.

LONG = "web.default.svc.cluster.local"


def never() -> float:
    pytest.fail("nothing to draw for")


@pytest.mark.parametrize(
    "host", [b"web.default.localhost:8080", b"WEB.default.LOCALHOST", b"web.default.svc"]
)
def test_a_host_is_found_by_its_bytes_without_a_draw(host: bytes) -> None:
    for _ in range(2):
        found = ONE.find(host)
        assert found is not None
        assert found.pick(never) == WEB
        assert not found.append


@given(st.binary(max_size=40))
def test_what_find_does_not_know_is_what_match_does_not_send_to_a_revision(host: bytes) -> None:
    found = ONE.find(host)
    matched = ONE.match(host.decode("latin-1"), "/", 0.0)
    assert (found is not None) == isinstance(matched, ToRevision)


def test_hosts_that_are_not_there_are_not_remembered() -> None:
    fresh = table(split("web-00001", 100))
    for number in range(5000):
        assert fresh.find(b"h%d.default.localhost" % number) is None
    before = sys.getallocatedblocks()
    for _ in range(1000):
        fresh.find(b"nowhere.default.localhost")
    assert sys.getallocatedblocks() - before < 20


def test_spellings_of_a_host_are_remembered_up_to_a_bound() -> None:
    fresh = table(split("web-00001", 100))
    for port in range(10 * MEMO_LEAST):
        assert fresh.find(b"web.default.localhost:%d" % port) is not None
        assert fresh.remembered <= MEMO_LEAST


def test_finding_a_known_host_allocates_nothing() -> None:
    host = b"web.default.localhost:8080"
    ONE.find(host)
    before = sys.getallocatedblocks()
    for _ in range(1000):
        ONE.find(host)
    assert sys.getallocatedblocks() - before < 20


@given(st.floats(0, 1, exclude_max=True))
def test_a_draw_decides_among_several(draw: float) -> None:
    found = table(split("a", 90), split("zero", 0), split("b", 10)).find(b"web.default")
    assert found is not None
    assert found.pick(lambda: draw).name == ("a" if draw < 0.9 else "b")


# Tags by header (§5.4).


def tagged_table() -> RoutingTable:
    header = "Knative-Serving-Tag"
    v1, v2 = (split("web-00001", 100),), (split("web-00002", 100),)
    paths = (
        Path(headers={header: HeaderMatch(exact="old")}, splits=v1),
        Path(headers={header: HeaderMatch(exact="new")}, splits=v2),
    )
    rules = (
        Rule(
            hosts=(LONG, "web.default.localhost"),
            paths=paths,
            splits=v1,
            append_headers={"Knative-Serving-Default-Route": "true"},
        ),
        Rule(
            hosts=("new-web.default.localhost",), splits=v2, append_headers={header: "new"}
        ),
    )  # fmt: skip
    return routing_table([Ingress(spec=IngressSpec(rules=rules))], {}, {}, [])


DEFAULT_ROUTE = ((b"Knative-Serving-Default-Route", b"true"),)


@pytest.mark.parametrize(
    ("host", "tag", "revision", "append", "route_tag"),
    [
        pytest.param("web", None, "web-00001", DEFAULT_ROUTE, "kn:default", id="no tag"),
        pytest.param("web", b"", "web-00001", DEFAULT_ROUTE, "kn:default", id="empty tag"),
        pytest.param("web", b"new", "web-00002", (), "new", id="tag"),
        pytest.param("web", b"old", "web-00001", (), "old", id="another tag"),
        pytest.param("web", b"x", "web-00001", DEFAULT_ROUTE, "kn:undefined", id="no such tag"),
        pytest.param(
            "new-web", None, "web-00002", ((b"Knative-Serving-Tag", b"new"),), "new", id="tag host"
        ),
        pytest.param(
            "new-web", b"old", "web-00002", ((b"Knative-Serving-Tag", b"new"),), "new",
            id="the host wins over the header",
        ),
    ],
)  # fmt: skip
def test_a_tag_by_header(
    host: str,
    tag: bytes | None,
    revision: str,
    append: tuple[tuple[bytes, bytes], ...],
    route_tag: str,
) -> None:
    found = tagged_table().find(f"{host}.default.localhost:8080".encode())
    assert found is not None
    assert found.append, "what the data plane tests before it looks for a tag"
    found = found.under(tag)
    assert found.pick(never).name == revision
    assert found.append == append
    assert found.route_tag == route_tag


def test_a_path_address_knows_tags_as_well() -> None:
    found = tagged_table().match("localhost", "/ns/default/services/web/a", 0.0, b"new")
    new = RevisionName("default", "web-00002")
    assert found == ToRevision(new, "/a", LONG, (), "new")


def test_without_the_feature_a_tag_has_no_effect() -> None:
    found = ONE.find(b"web.default")
    assert found is not None
    assert found.under(b"new") is found
    assert found.route_tag == "kn:disabled"


# The two sides.

PUBLIC = Rule(hosts=("web.default.localhost",), splits=(split("web-00001", 100),))
LOCAL = Rule(
    hosts=("web.default", "web.default.svc", LONG),
    visibility="ClusterLocal",
    splits=(split("web-00001", 100),),
)


def outside(*rules: Rule) -> RoutingTable:
    ingress = Ingress(spec=IngressSpec(rules=rules))
    return routing_table([ingress], {}, {}, [("default", "b")], frozenset((WEB,)))


@pytest.mark.parametrize("host", ["web.default", "web.default.svc", LONG, f"{LONG}:80"])
def test_a_name_of_the_cluster_is_not_known_outside(host: str) -> None:
    bare = host.partition(":")[0]
    assert outside(LOCAL, PUBLIC).match(host, "/", 0.0) == InsideOnly(bare, True)
    assert outside(LOCAL).match(host, "/", 0.0) == InsideOnly(bare, False)
    assert outside(LOCAL).inside().match(host, "/", 0.0) == ToRevision(WEB, "/")


def test_a_path_address_leads_outside_to_what_is_public_only() -> None:
    path = "/ns/default/services/web/x"
    assert outside(LOCAL, PUBLIC).match("localhost", path, 0.0) == ToRevision(WEB, "/x", LONG)
    assert outside(LOCAL).match("localhost", path, 0.0) == InsideOnly(LONG, False)
    assert outside(LOCAL).inside().match("localhost", path, 0.0) == ToRevision(WEB, "/x", LONG)


def test_a_hidden_tag_does_not_hide_its_route_nor_the_other_way_round() -> None:
    tag = Rule(
        hosts=("new-web.default.svc.cluster.local",),
        visibility="ClusterLocal",
        splits=(split("web-00001", 100),),
    )
    table = outside(LOCAL, PUBLIC, tag)
    path = "/ns/default/services/new-web/"
    assert isinstance(table.match("localhost", path, 0.0), InsideOnly)
    assert isinstance(table.match("localhost", "/ns/default/services/web/", 0.0), ToRevision)
    # All three go to the same revision, so that only their places tell them apart.
    table = outside(tag, LOCAL, PUBLIC)
    assert isinstance(table.match("localhost", path, 0.0), InsideOnly)
    assert isinstance(table.match("localhost", "/ns/default/services/web/", 0.0), ToRevision)


@pytest.mark.parametrize("suffix", ["", ".svc", ".svc.cluster.local"])
def test_a_revision_has_a_name_inside(suffix: str) -> None:
    host = f"web-00001.default{suffix}"
    assert outside().inside().match(host, "/", 0.0) == ToRevision(WEB, "/")
    assert outside().match(host, "/", 0.0) == InsideOnly(host, False)


def test_a_mapped_domain_leads_to_what_it_maps_and_takes_no_host_of_a_route() -> None:
    mapped = Rule(hosts=("shop.example.com", "web.default.localhost"), rewrite_host=LONG)
    other = Rule(
        hosts=("api.default.svc.cluster.local",),
        visibility="ClusterLocal",
        splits=(split("api-00001", 100),),
    )
    table = outside(mapped, LOCAL, PUBLIC)
    assert table.match("shop.example.com:8080", "/", 0.0) == ToRevision(WEB, "/")
    assert table.inside().match("Shop.Example.com", "/", 0.0) == ToRevision(WEB, "/")
    theirs = replace(mapped, rewrite_host="api.default.svc.cluster.local")
    taken = outside(LOCAL, PUBLIC, other, theirs).match("web.default.localhost", "/", 0.0)
    assert taken == ToRevision(WEB, "/")
    gone = replace(mapped, rewrite_host="none.default.svc.cluster.local")
    assert outside(gone).match("shop.example.com", "/", 0.0) == Nowhere()


def mapped(http_option: HTTPOption, *certified: str) -> RoutingTable:
    inner = "web.default.svc.cluster.local"
    ingresses = (
        Ingress(
            spec=IngressSpec(
                rules=(
                    Rule(
                        hosts=(inner,),
                        visibility="ClusterLocal",
                        splits=(split("web-00001", 100),),
                    ),
                )
            )
        ),
        Ingress(
            spec=IngressSpec(
                rules=(Rule(hosts=("a.example.org", "b.example.org"), rewrite_host=inner),),
                http_option=http_option,
                tls=tuple(IngressTLS(hosts=(host,)) for host in certified),
            )
        ),
    )
    return routing_table(ingresses, {}, {}, [])


def test_https_serves_hosts_with_a_certificate_only() -> None:
    table = mapped("Enabled", "A.example.org")
    assert table.match("a.example.org", "/", 0.0) == ToRevision(WEB, "/")
    assert table.secure().find(b"a.example.org:8443") is not None
    for host in (b"b.example.org", b"web.default.svc.cluster.local", b"localhost", b""):
        assert table.secure().find(host) is None


def test_redirected_sends_on_what_has_a_certificate_and_nothing_else() -> None:
    table = mapped("Redirected", "a.example.org")
    for side in (table, table.inside()):
        assert side.find(b"a.example.org") is None
        assert side.match("A.example.org:8080", "/", 0.0) == ToHTTPS("a.example.org")
        assert side.match("b.example.org", "/", 0.0) == ToRevision(WEB, "/")
    assert table.secure().find(b"a.example.org") is not None


def test_the_front_gets_what_comes_for_hosts_that_nobody_has() -> None:
    hosts = ("web.default.svc.cluster.local",)
    rules = (
        Rule(hosts=hosts, visibility="ClusterLocal", splits=(split("web-00001", 100),)),
        Rule(hosts=("web.default.localhost",), splits=(split("web-00001", 100),)),
        Rule(hosts=("api.default.localhost",), splits=(split("api-00001", 100),)),
    )
    plain = routing_table([Ingress(spec=IngressSpec(rules=rules))], {}, {}, [("default", "b")])
    table = plain.fronted("default", "web")
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "", "laptop.example.org"):
        assert table.match(host, "/ns/default/brokers/b", 0.0).revision == WEB  # type: ignore[union-attr]  # fails if it is none
        assert table.find(host.encode()) is not None
    other = table.match("api.default.localhost", "/", 0.0)
    assert other == ToRevision(RevisionName("default", "api-00001"), "/")
    assert plain.match("localhost", "/", 0.0) == ToIndex()


def test_a_front_that_is_not_there_yet_changes_nothing() -> None:
    assert RoutingTable().fronted("default", "web").match("localhost", "/", 0.0) == ToIndex()
