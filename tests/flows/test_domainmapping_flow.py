"""DomainMappings from the claim to the routing table (Knative reference §1.13, §5.6, §7.2)."""

from base64 import b64encode
from typing import Any

from knlite.kinds.conditions import find
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.domainclaim import ClusterDomainClaim
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.ingress import Ingress
from knlite.reconcile import Key
from knlite.serving.certificates import PORT_UNAVAILABLE, Unusable, failed
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


CHAIN = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
PRIVATE = b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n"


def secret(cell: Cell, chain: bytes = CHAIN, key: bytes = PRIVATE) -> None:
    entries = {"tls.crt": chain, "tls.key": key}
    cell.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": "cert", "namespace": "default"},
            "data": {name: b64encode(value).decode() for name, value in entries.items()},
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
        why = "Certificate cert is not ready. There is no Secret default/cert."
        assert said(cell, "CertificateProvisioned") == ("Unknown", "CertificateNotReady", why)
        assert said(cell, "Ready") == ("Unknown", "CertificateNotReady", why)
        assert found(cell).status.url == f"https://{HOST}:8443"
        secret(cell)
        await cell.advance(1)
        assert said(cell, "Ready")[0] == "Unknown", "nobody has looked at it yet"
        (certificate,) = cell.requests.certificates
        assert (certificate.host, certificate.chain) == (HOST, CHAIN)
        cell.projector.certificates_judged({certificate: None})
        await cell.advance(1)
        assert said(cell, "CertificateProvisioned") == (
            "True",
            "CertificateExternallyProvided",
            "TLS certificate was provided externally",
        )
        assert said(cell, "Ready")[0] == "True"
        ingress = cell.registry.view.get(Ingress, "default", HOST)
        assert ingress is not None
        (tls,) = ingress.spec.tls
        assert (tls.hosts, tls.secret_name, tls.secret_namespace) == ((HOST,), "cert", "default")


@on_virtual_time
async def test_another_secret_is_looked_at_anew_and_a_bad_one_is_said() -> None:
    async with opened() as cell:
        cell.service()
        secret(cell)
        mapping(cell, tls={"secretName": "cert"})
        await cell.advance(2)
        (first,) = cell.requests.certificates
        cell.projector.certificates_judged({first: None})
        await cell.advance(1)
        assert said(cell, "Ready")[0] == "True"

        secret(cell, chain=CHAIN + CHAIN)
        await cell.advance(1)
        (second,) = cell.requests.certificates
        assert second.chain == CHAIN + CHAIN
        assert said(cell, "Ready")[0] == "True", "until something is known of the new one"
        why = failed("cert", "It does not fit.")
        cell.projector.certificates_judged({second: why})
        await cell.advance(1)
        expected = ("False", why.reason, why.message)
        assert said(cell, "CertificateProvisioned") == expected
        assert said(cell, "IngressReady") == expected
        assert "hush" not in f"{cell.facts}{cell.requests.certificates}"

        secret(cell, key=b"")
        await cell.advance(1)
        assert said(cell, "CertificateProvisioned") == (
            "False",
            "CertificateProvisionFailed",
            "Certificate cert failed to be provisioned."
            " Secret default/cert (type kubernetes.io/tls) has no tls.key.",
        )
        assert cell.requests.certificates == ()

        cell.registry.delete(Key(Secret, "default", "cert"))
        await cell.advance(1)
        assert said(cell, "CertificateProvisioned")[:2] == ("Unknown", "CertificateNotReady")


@on_virtual_time
async def test_a_port_that_somebody_has_is_no_fault_of_the_certificate() -> None:
    async with opened() as cell:
        cell.service()
        secret(cell)
        mapping(cell, tls={"secretName": "cert"})
        await cell.advance(2)
        (only,) = cell.requests.certificates
        cell.projector.certificates_judged({only: Unusable(PORT_UNAVAILABLE, "somebody has it")})
        await cell.advance(1)
        assert said(cell, "CertificateProvisioned")[0] == "True"
        assert said(cell, "IngressReady") == ("False", "PortUnavailable", "somebody has it")


@on_virtual_time
async def test_a_deleted_mapping_takes_its_certificate_with_it() -> None:
    async with opened() as cell:
        cell.service()
        secret(cell)
        mapping(cell, tls={"secretName": "cert"})
        await cell.advance(2)
        assert cell.requests.certificates
        cell.registry.delete(Key(DomainMapping, "default", HOST))
        await cell.advance(1)
        assert not cell.requests.certificates


@on_virtual_time
async def test_a_redirected_mapping_is_served_by_https_only() -> None:
    async with opened() as cell:
        cell.service()
        secret(cell)
        mapping(cell, tls={"secretName": "cert"})
        config(cell, http_protocol="Redirected")
        await cell.advance(3)
        assert leads_to(cell) == f"ToHTTPS(host='{HOST}')"
        assert "web-00001" in str(cell.requests.table.secure().match(HOST, "/", 0.0))
        config(cell, http_protocol="Enabled")
        await cell.advance(1)
        assert "web-00001" in leads_to(cell)


@on_virtual_time
async def test_what_has_no_address_of_its_own_cannot_be_mapped() -> None:
    async with opened() as cell:
        mapping(cell, ref={"apiVersion": "v1", "kind": "Secret", "name": "x"})
        await cell.advance(1)
        assert said(cell, "ReferenceResolved")[:2] == ("False", "ResolveFailed")
