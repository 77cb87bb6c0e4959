"""DomainMapping: another domain for something that is served.

Source: Knative reference §1.13; knative/serving ``pkg/apis/serving/v1beta1``, knative/pkg
``apis/duck/v1/knative_reference.go``.
"""

from msgspec.structs import replace

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, disallowed, generic, under
from knlite.kinds.kreference import KReference, reference_defaulted, reference_validated
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.names import domain_problem
from knlite.kinds.serving.annotations import author_errors, http_protocol_errors

DOMAIN_CLAIMED = "DomainClaimed"
REFERENCE_RESOLVED = "ReferenceResolved"
INGRESS_READY = "IngressReady"
CERTIFICATE_PROVISIONED = "CertificateProvisioned"

CONDITIONS = ConditionSet(
    (DOMAIN_CLAIMED, REFERENCE_RESOLVED, INGRESS_READY, CERTIFICATE_PROVISIONED)
)
FINALIZER = "domainmappings.serving.knative.dev"
"""Keeps a deleted mapping until its claim is given back."""

_CLUSTER_DOMAIN = "cluster.local"


class SecretTLS(Fields):
    """The Secret whose certificate the domain has."""

    secret_name: str = ""


class DomainMappingSpec(Fields):
    ref: KReference = KReference()
    tls: SecretTLS | None = None


class DomainMappingStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    url: str = ""
    address: Addressable | None = None


class DomainMapping(Object):
    """Gives what *ref* names the domain that is its own name."""

    spec: DomainMappingSpec = DomainMappingSpec()
    status: DomainMappingStatus = DomainMappingStatus()


def defaulted(obj: DomainMapping, old: DomainMapping | None, config: Config) -> DomainMapping:
    """*obj* whose reference names its namespace."""
    ref = reference_defaulted(obj.spec.ref, obj.metadata.namespace)
    return replace(obj, spec=replace(obj.spec, ref=ref))


def validated(obj: DomainMapping, old: DomainMapping | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    meta, ref = obj.metadata, obj.spec.ref
    errors: list[FieldError] = [
        *under("metadata", _name_errors(meta)),
    ]
    if obj.spec.tls is None:
        errors += under("metadata.annotations", http_protocol_errors(meta.annotations))
    if old is not None:
        errors += under(
            "metadata.annotations",
            author_errors(
                meta.annotations, old.metadata.annotations, spec_changed=obj.spec != old.spec
            ),
        )
    errors += under("spec.ref", _reference_errors(ref, meta.namespace))
    return tuple(errors)


def _name_errors(meta: ObjectMeta) -> Errors:
    errors: list[FieldError] = []
    if meta.generate_name:
        errors.append(disallowed("generateName"))
    name = meta.name
    if problem := domain_problem("name", name):
        errors.append(generic(f'invalid name "{name}": {problem}', "name"))
    if name.endswith(f".{_CLUSTER_DOMAIN}"):
        text = f'must not be a subdomain of cluster local domain "{_CLUSTER_DOMAIN}"'
        errors.append(generic(f'invalid name "{name}": {text}', "name"))
    return tuple(errors)


def _reference_errors(ref: KReference, parent: str) -> Errors:
    errors = [*reference_validated(ref, lambda _: False)]
    if parent and ref.namespace and ref.namespace != parent:
        details = f'parent namespace: "{parent}" does not match ref: "{ref.namespace}"'
        errors.append(generic("mismatched namespaces", "namespace", details=details))
    return tuple(errors)
