"""DomainMappings from the claim to the routing table (Knative reference §1.13, §5.6, §7.2)."""

from typing import Any

from knlite.kinds.conditions import find
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.domainclaim import ClusterDomainClaim
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.ingress import Ingress
from knlite.reconcile import Key
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

HOST = "hello.example.org"


def mapping(cell: Cell, namespace: str = "default", **spec: Any) -> None:
    ref = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "web"}
    cell.apply(
        {
            "apiVersion": "serving.knative.dev/v1beta1",
            "kind": "DomainMapping",
            "metadata": {"name": HOST, "namespace": namespace},
            "spec": {"ref": ref, **spec},
        }
    )


def found(cell: Cell, namespace: str = "default") -> DomainMapping:
    obj = cell.registry.view.get(DomainMapping, namespace, HOST)
    assert obj is not None
    return obj


def said(cell: Cell, condition: str, namespace: str = "default") -> tuple[str, str, str]:
    one = find(found(cell, namespace).status.conditions, condition)
    assert one is not None
    return one.status, one.reason, one.message


def config(cell: Cell, **data: str) -> None:
    cell.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "config-network", "namespace": "knative-serving"},
            "data": {key.replace("_", "-"): value for key, value in data.items()},
        }
    )


def leads_to(cell: Cell) -> str:
    return str(cell.requests.table.match(HOST, "/", 0.0))


@on_virtual_time
async def test_a_mapping_becomes_ready_and_leads_to_what_its_service_serves() -> None:
    async with opened() as cell:
        mapping(cell)
        await cell.advance(1)
        assert said(cell, "ReferenceResolved") == (
            "False",
            "ResolveFailed",
            'failed to get object default/web: services.serving.knative.dev "web" not found',
        )
        cell.service()
        await cell.advance(3)
        obj = found(cell)
        assert said(cell, "Ready")[0] == "True"
        assert obj.status.observed_generation == obj.metadata.generation
        assert obj.status.url == f"http://{HOST}:8080"
        assert obj.status.address is not None
        assert obj.status.address.url == obj.status.url
        assert obj.metadata.finalizers == ("domainmappings.serving.knative.dev",)
        assert said(cell, "CertificateProvisioned")[1] == "TLSNotEnabled"
        assert "web-00001" in leads_to(cell)
        claim = cell.registry.view.get(ClusterDomainClaim, "", HOST)
        assert claim is not None
        assert claim.spec.namespace == "default"


@on_virtual_time
async def test_a_mapping_follows_the_traffic_of_its_service() -> None:
    async with opened() as cell:
        cell.service()
        mapping(cell)
        await cell.advance(3)
        cell.service(image="web:2")
        await cell.advance(3)
        assert "web-00002" in leads_to(cell)


@on_virtual_time
async def test_the_second_namespace_waits_and_takes_over() -> None:
    async with opened() as cell:
        cell.registry.create(Namespace(metadata=ObjectMeta(name="alt")), user="test")
        cell.service()
        mapping(cell)
        await cell.advance(3)
        cell.apply(documents.service(namespace="alt"))
        mapping(cell, "alt")
        await cell.advance(3)
        assert said(cell, "DomainClaimed", "alt") == (
            "False",
            "DomainAlreadyClaimed",
            "The domain name is already in use by another DomainMapping",
        )
        second = found(cell, "alt")
        assert second.status.observed_generation == second.metadata.generation
        assert "namespace='default'" in leads_to(cell)

        cell.registry.delete(Key(DomainMapping, "default", HOST))
        await cell.advance(2)
        assert cell.registry.view.get(DomainMapping, "default", HOST) is None
        assert said(cell, "Ready", "alt")[0] == "True"
        assert "namespace='alt'" in leads_to(cell)


@on_virtual_time
async def test_nothing_of_a_deleted_mapping_stays() -> None:
    async with opened() as cell:
        cell.service()
        mapping(cell)
        await cell.advance(3)
        cell.registry.delete(Key(DomainMapping, "default", HOST))
        await cell.advance(1)
        assert not cell.registry.view.listed(DomainMapping, "")
        assert not cell.registry.view.listed(ClusterDomainClaim, "")
        assert [each.metadata.name for each in cell.registry.view.listed(Ingress, "")] == ["web"]
        assert "Nowhere" in leads_to(cell)


@on_virtual_time
async def test_without_autocreate_somebody_must_have_claimed_the_domain() -> None:
    async with opened() as cell:
        config(cell, autocreate_cluster_domain_claims="false")
        cell.service()
        mapping(cell)
        await cell.advance(3)
        assert said(cell, "Ready")[1] == "DomainAlreadyClaimed"
        cell.apply(
            {
                "apiVersion": "networking.internal.knative.dev/v1alpha1",
                "kind": "ClusterDomainClaim",
                "metadata": {"name": HOST, "namespace": ""},
                "spec": {"namespace": "default"},
            }
        )
        await cell.advance(1)
        assert said(cell, "Ready")[0] == "True"
        cell.registry.delete(Key(DomainMapping, "default", HOST))
        await cell.advance(1)
        # Who makes claims by hand takes them back by hand.
        assert cell.registry.view.get(ClusterDomainClaim, "", HOST) is not None


@on_virtual_time
async def test_a_certificate_of_ones_own_gives_a_url_with_https() -> None:
    async with opened() as cell:
        cell.service()
        mapping(cell, tls={"secretName": "cert"})
        await cell.advance(3)
        assert said(cell, "CertificateProvisioned") == (
            "True",
            "CertificateExternallyProvided",
            "TLS certificate was provided externally",
        )
        assert found(cell).status.url == f"https://{HOST}:8443"
        ingress = cell.registry.view.get(Ingress, "default", HOST)
        assert ingress is not None
        (tls,) = ingress.spec.tls
        assert (tls.hosts, tls.secret_name, tls.secret_namespace) == ((HOST,), "cert", "default")


@on_virtual_time
async def test_without_its_certificate_a_mapping_is_not_ready_and_says_why() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cert", "namespace": "default"},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": "a chain"},
    }
    async with opened() as cell:
        cell.service()
        mapping(cell, tls={"secretName": "cert"})
        await cell.advance(3)
        why = 'secret "default/cert" not found'
        assert said(cell, "Ready") == ("False", "CertificateNotReady", why)
        cell.apply(secret)
        await cell.advance(1)
        assert said(cell, "Ready")[2] == 'secret "default/cert" has no tls.key'
        cell.apply({**secret, "stringData": {"tls.crt": "a chain", "tls.key": "its key"}})
        await cell.advance(1)
        assert said(cell, "Ready")[0] == "True"


@on_virtual_time
async def test_what_has_no_address_of_its_own_cannot_be_mapped() -> None:
    async with opened() as cell:
        mapping(cell, ref={"apiVersion": "v1", "kind": "Secret", "name": "x"})
        await cell.advance(1)
        assert said(cell, "ReferenceResolved")[:2] == ("False", "ResolveFailed")
