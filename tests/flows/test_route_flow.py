"""What a Route makes and marks: names, labels, visibility (Knative reference §1.10, §5.1, §5.2)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.conditions import find
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.labels import ROUTES, ROUTING_STATE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.ingress import Ingress
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.registry.registry import Notification
from knlite.runtime.fake import Script
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

VISIBILITY = "networking.knative.dev/visibility"
SPLIT = [
    {"latestRevision": True, "percent": 100},
    {"latestRevision": True, "percent": 0, "tag": "new"},
]


def service(
    cell: Cell,
    image: str = "web",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> None:
    """Replace the Service, so that labels which are not there are removed."""
    document = documents.service(image=image, **spec)
    old = cell.registry.view.get(Service, "default", "web")
    if old is None:
        metadata = {"labels": dict(labels or {}), "annotations": dict(annotations or {})}
        cell.apply({**document, "metadata": {**document["metadata"], **metadata}})
        return
    cell.apply(document)
    stored = cell.registry.view.get(Service, "default", "web")
    assert stored is not None
    kept = {k: v for k, v in stored.metadata.annotations.items() if k.startswith("serving.")}
    changed = msgspec.structs.replace(
        stored.metadata, labels=labels or {}, annotations={**kept, **(annotations or {})}
    )
    cell.registry.update(msgspec.structs.replace(stored, metadata=changed), user="test")


def placeholder(cell: Cell, name: str = "web") -> KubernetesService | None:
    return cell.registry.view.get(KubernetesService, "default", name)


def route(cell: Cell) -> Route:
    found = cell.registry.view.get(Route, "default", "web")
    assert found is not None
    return found


def said(cell: Cell, condition: str) -> tuple[str, str, str]:
    one = find(route(cell).status.conditions, condition)
    assert one is not None
    return one.status, one.reason, one.message


def urls(cell: Cell) -> dict[str, str]:
    return {
        "": route(cell).status.url,
        **{t.tag: t.url for t in route(cell).status.traffic if t.tag},
    }


@on_virtual_time
async def test_a_route_has_a_kubernetes_service_for_itself_and_for_each_tag() -> None:
    async with opened() as cell:
        service(cell, traffic=SPLIT)
        await cell.advance(3)
        main, tag = placeholder(cell), placeholder(cell, "new-web")
        assert main is not None
        assert tag is not None
        assert main.spec.type == "ExternalName"
        assert main.spec.external_name == "web.default.localhost"
        assert tag.spec.external_name == "new-web.default.localhost"
        for each in (main, tag):
            assert each.metadata.labels["serving.knative.dev/route"] == "web"
            assert each.metadata.labels["serving.knative.dev/service"] == "web"
            (owner,) = each.metadata.owner_references
            assert (owner.kind, owner.name, owner.controller) == ("Route", "web", True)
            assert each.metadata.annotations["serving.knative.dev/creator"] == "test"
        service(cell)
        await cell.advance(2)
        assert placeholder(cell, "new-web") is None
        cell.registry.delete(Key(Service, "default", "web"))
        assert placeholder(cell) is None


@on_virtual_time
async def test_labels_and_annotations_go_down_and_go_away() -> None:
    async with opened() as cell:
        last_applied = "kubectl.kubernetes.io/last-applied-configuration"
        service(
            cell,
            labels={"juicy": "jamba"},
            annotations={
                "juicy": "apple",
                last_applied: "{}",
                "serving.knative.dev/rollout-duration": "1s",
            },
        )
        await cell.advance(3)
        configuration = cell.registry.view.get(Configuration, "default", "web")
        placed, (ingress,) = placeholder(cell), cell.registry.view.listed(Ingress, "default")
        assert configuration is not None
        assert placed is not None
        for each in (configuration, route(cell), placed, ingress):
            assert each.metadata.labels["juicy"] == "jamba"
            assert each.metadata.annotations["juicy"] == "apple"
            assert last_applied not in each.metadata.annotations
            assert each.metadata.annotations["serving.knative.dev/creator"] == "test"
            assert each.metadata.annotations["serving.knative.dev/lastModifier"] == "test"
        duration = "serving.knative.dev/rollout-duration"
        assert duration in route(cell).metadata.annotations
        assert duration not in configuration.metadata.annotations
        generations = [configuration.metadata.generation, route(cell).metadata.generation]

        service(cell)
        await cell.advance(3)
        configuration = cell.registry.view.get(Configuration, "default", "web")
        placed, (ingress,) = placeholder(cell), cell.registry.view.listed(Ingress, "default")
        assert configuration is not None
        assert placed is not None
        for each in (configuration, route(cell), ingress):
            assert "juicy" not in each.metadata.labels
            assert "juicy" not in each.metadata.annotations
        # Upstream's suite insists (TestLabelPropagation).
        assert placed.metadata.labels["juicy"] == "jamba"
        # Only metadata has changed, so there is no new generation and no new revision.
        assert generations == [configuration.metadata.generation, route(cell).metadata.generation]
        assert len(cell.registry.view.listed(Revision, "default")) == 1
        (revision,) = cell.registry.view.listed(Revision, "default")
        assert "juicy" not in revision.metadata.labels


@on_virtual_time
async def test_a_kubernetes_service_of_somebody_else_keeps_the_name() -> None:
    async with opened() as cell:
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {"ports": [{"port": 80}]},
            }
        )
        service(cell)
        await cell.advance(3)
        assert said(cell, "IngressReady") == (
            "False",
            "NotOwned",
            'There is an existing placeholder Service "web" that we do not own.',
        )
        assert cell.ready().reason == "NotOwned"
        cell.registry.delete(Key(KubernetesService, "default", "web"))
        await cell.advance(1)
        assert cell.ready().status == "True"


@on_virtual_time
async def test_a_foreign_service_with_the_label_of_a_route_is_left_alone() -> None:
    async with opened() as cell:
        metadata = ObjectMeta(
            name="other", namespace="default", labels={"serving.knative.dev/route": "web"}
        )
        spec = {"ports": [{"port": 80}]}
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {
                    "name": metadata.name,
                    "namespace": metadata.namespace,
                    "labels": dict(metadata.labels),
                },
                "spec": spec,
            }
        )
        service(cell)
        await cell.advance(3)
        assert cell.ready().status == "True"
        assert placeholder(cell, "other") is not None


@on_virtual_time
async def test_a_tag_is_hidden_by_a_label_on_its_kubernetes_service() -> None:
    async with opened() as cell:
        service(cell, traffic=SPLIT)
        await cell.advance(3)
        assert urls(cell)["new"] == "http://new-web.default.localhost:8080"
        tag = placeholder(cell, "new-web")
        assert tag is not None
        labels = {**tag.metadata.labels, VISIBILITY: "cluster-local"}
        metadata = msgspec.structs.replace(tag.metadata, labels=labels)
        cell.registry.update(msgspec.structs.replace(tag, metadata=metadata), user="test")
        await cell.advance(1)
        hidden = "http://new-web.default.svc.cluster.local"
        assert urls(cell) == {"": "http://web.default.localhost:8080", "new": hidden}
        table = cell.requests.table
        assert table.find(b"new-web.default.localhost") is None
        assert table.inside().find(b"new-web.default.svc.cluster.local") is not None
        # Hiding the Route hides all, and what was hidden by itself stays so.
        service(cell, labels={VISIBILITY: "cluster-local"}, traffic=SPLIT)
        await cell.advance(1)
        assert urls(cell) == {"": "http://web.default.svc.cluster.local", "new": hidden}
        assert said(cell, "CertificateProvisioned")[2] == "TLS is not enabled for cluster-local"
        assert cell.requests.table.find(b"web.default.localhost") is None
        service(cell, traffic=SPLIT)
        await cell.advance(1)
        assert urls(cell) == {"": "http://web.default.localhost:8080", "new": hidden}
        assert cell.ready().status == "True"


@on_virtual_time
async def test_no_status_shows_public_tags_of_a_hidden_route() -> None:
    """§5.2; upstream's TestSubrouteVisibilityPublicToPrivate reads what it sees first."""
    async with opened() as cell:
        service(cell, traffic=SPLIT)
        await cell.advance(3)
        told: list[dict[str, str]] = []

        def note(notification: Notification) -> None:
            if isinstance(notification.obj, Route):
                told.append(urls(cell))

        with cell.registry.listening(note):
            service(cell, labels={VISIBILITY: "cluster-local"}, traffic=SPLIT)
            await cell.advance(1)
        assert any(each[""].endswith(".local") for each in told)
        for each in told:
            assert len({url.endswith(".local") for url in each.values()}) == 1, each


@on_virtual_time
async def test_a_domain_by_selector_and_the_clusters_own_domain() -> None:
    async with opened() as cell:
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "config-domain", "namespace": "knative-serving"},
                "data": {"shop.example.com": "selector:\n  app: shop\n"},
            }
        )
        service(cell)
        await cell.advance(3)
        assert urls(cell) == {"": "http://web.default.svc.cluster.local"}
        service(cell, labels={"app": "shop"})
        await cell.advance(1)
        assert urls(cell) == {"": "http://web.default.shop.example.com:8080"}
        assert cell.requests.table.find(b"web.default.shop.example.com") is not None


@on_virtual_time
async def test_a_template_that_gives_no_domain_is_an_error_of_configuration() -> None:
    async with opened() as cell:
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "config-network", "namespace": "knative-serving"},
                "data": {"domain-template": '{{.Name}}.{{index .Labels "x"}}.{{.Domain}}'},
            }
        )
        service(cell, labels={"x": "A_b"})
        await cell.advance(3)
        status, reason, message = said(cell, "AllTrafficAssigned")
        assert (status, reason) == ("False", "ErrorConfig")
        assert message.startswith('domain name error: invalid domain name "web.A_b.localhost": url')


@on_virtual_time
async def test_an_unknown_http_protocol_is_told_and_the_known_ones_are_kept() -> None:
    async with opened() as cell:
        key = "networking.knative.dev/http-protocol"
        service(cell, annotations={key: "Redirected"})
        await cell.advance(3)
        (ingress,) = cell.registry.view.listed(Ingress, "default")
        assert ingress.spec.http_option == "Redirected"
        assert cell.ready().status == "True"
        service(cell, annotations={key: "odd"})
        await cell.advance(1)
        assert said(cell, "IngressReady") == (
            "False",
            "IngressNotConfigured",
            "incorrect http-protocol annotation: odd",
        )


@on_virtual_time
async def test_revisions_are_in_use_from_the_first_moment_until_the_route_has_settled() -> None:
    async with opened({"bad": Script(booting=5, lives=0.1)}) as cell:
        service(cell)
        await cell.advance(0.1)
        states = states_of(cell)
        assert states == {"web-00001": ("active", "web")}
        await cell.advance(3)
        service(cell, "web:2")
        await cell.advance(0.1)
        assert states_of(cell) == {"web-00001": ("active", "web"), "web-00002": ("active", "web")}
        await cell.advance(3)
        assert states_of(cell) == {"web-00001": ("reserve", ""), "web-00002": ("active", "web")}
        service(cell, "bad")
        await cell.advance(5)
        assert states_of(cell)["web-00002"] == ("active", "web")
        assert said(cell, "Ready")[0] == "True"


def states_of(cell: Cell) -> dict[str, tuple[str, str]]:
    return {
        each.metadata.name: (
            each.metadata.labels[ROUTING_STATE],
            each.metadata.annotations.get(ROUTES, ""),
        )
        for each in cell.registry.view.listed(Revision, "default")
    }


def named(cell: Cell, name: str, image: str, traffic: list[dict[str, Any]]) -> None:
    """A Service that names its revisions."""
    cell.apply(documents.service(image=image, revision={"name": name}, traffic=traffic))


@on_virtual_time
async def test_going_back_to_an_old_name_with_traffic_that_is_pinned() -> None:
    """§7.5 TestRollbackBYOName, §1.8, §1.9."""
    async with opened() as cell:
        named(cell, "web-byo1", "web:1", [{"revisionName": "web-byo1", "percent": 100}])
        await cell.advance(3)
        both = [
            {"revisionName": "web-byo1", "percent": 90},
            {"revisionName": "web-byo2", "percent": 10},
        ]
        named(cell, "web-byo2", "web:2", both)
        await cell.advance(3)
        assert cell.ready().status == "True"
        named(cell, "web-byo1", "web:1", [{"revisionName": "web-byo1", "percent": 100}])
        await cell.advance(3)
        assert cell.ready().status == "True"
        configuration = cell.registry.view.get(Configuration, "default", "web")
        assert configuration is not None
        assert configuration.status.latest_ready_revision_name == "web-byo1"
        assert configuration.status.latest_created_revision_name == "web-byo1"
        assert len(cell.registry.view.listed(Revision, "default")) == 2
        assert [t.revision_name for t in route(cell).status.traffic] == ["web-byo1"]


@on_virtual_time
async def test_traffic_to_a_revision_of_another_service_is_refused_and_changes_nothing() -> None:
    async with opened() as cell:
        cell.service("other", image="web")
        service(cell)
        await cell.advance(3)
        service(cell, traffic=[{"revisionName": "other-00001", "percent": 100}])
        await cell.advance(1)
        assert said(cell, "AllTrafficAssigned") == (
            "False",
            "RevisionNotOwned",
            'Revision "other-00001" belongs to Service "other", not Service "web".',
        )
        assert [t.revision_name for t in route(cell).status.traffic] == ["web-00001"]
        table = cell.requests.table.find(b"web.default.localhost")
        assert table is not None
        assert [each.name for each in table.revisions] == ["web-00001"]
