"""DomainMapping: the claim to a domain, what it leads to, and the Ingress that says so.

Source: knative/serving ``pkg/reconciler/domainmapping``; Knative reference §1.13, §5.6.
Differs: upstream says that a certificate which somebody brings is provided, without a look at it;
here it is when it is presented to clients. Whether it is, the gateway says in the Ingress' status.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import ConditionEditor, find
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.labels import DOMAIN_MAPPING_NAMESPACE, DOMAIN_MAPPING_UID
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import owned_by
from knlite.kinds.serving.domainclaim import ClusterDomainClaim, ClusterDomainClaimSpec
from knlite.kinds.serving.domainmapping import (
    CERTIFICATE_PROVISIONED,
    CONDITIONS,
    DOMAIN_CLAIMED,
    FINALIZER,
    REFERENCE_RESOLVED,
    DomainMapping,
)
from knlite.kinds.serving.ingress import (
    NETWORK_CONFIGURED,
    Ingress,
    IngressSpec,
    IngressTLS,
    Rule,
)
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.reconcile import (
    Change,
    Create,
    Delete,
    Key,
    Outcome,
    Update,
    UpdateStatus,
    View,
    key_of,
)
from knlite.serving.certificates import FAILED, NOT_READY, not_ready
from knlite.serving.domains import external_url, https_url
from knlite.serving.ingressready import TLS_NOT_ENABLED, as_said_by, cannot_be, not_configured
from knlite.serving.ingressrules import HTTPProtocolError, http_option
from knlite.serving.ownership import handed_down
from knlite.serving.vantage import CLUSTER_DOMAIN

CLAIMED_ALREADY = "The domain name is already in use by another DomainMapping"
PROVIDED_EXTERNALLY = "TLS certificate was provided externally"

_ADDRESSABLE: Mapping[tuple[str, str], type[Object]] = {
    (info_of(kind).group, info_of(kind).kind): kind for kind in (Service, Route, KubernetesService)
}
"""(group, kind) of what has an address inside the cluster."""


class _Unresolved(Exception):
    """The reference leads nowhere."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The claim, the Ingress and the status of the DomainMapping at *key*."""
    mapping = view.get(DomainMapping, key.namespace, key.name)
    if mapping is None:
        return Outcome()
    if mapping.metadata.deletion_timestamp is not None:
        return Outcome(_given_back(mapping, view))
    if FINALIZER not in mapping.metadata.finalizers:
        finalizers = (*mapping.metadata.finalizers, FINALIZER)
        return Outcome((Update(_with_finalizers(mapping, finalizers)),))
    editor = CONDITIONS.edit(mapping.status.conditions, now)
    if mapping.status.observed_generation != mapping.metadata.generation:
        not_configured(editor)
    url = _url(mapping, view.config)
    changes = _mapped(mapping, view, editor)
    status = msgspec.structs.replace(
        mapping.status,
        observed_generation=mapping.metadata.generation,
        conditions=editor.result(),
        url=url,
        address=Addressable(url=url),
    )
    if status != mapping.status:
        changes += (UpdateStatus(msgspec.structs.replace(mapping, status=status)),)
    return Outcome(changes)


def _given_back(mapping: DomainMapping, view: View) -> tuple[Change, ...]:
    """The end of a mapping: the claim that was made for it goes, and then itself."""
    meta = mapping.metadata
    if FINALIZER not in meta.finalizers:
        return ()
    left = tuple(each for each in meta.finalizers if each != FINALIZER)
    gone = Update(_with_finalizers(mapping, left))
    claim = view.get(ClusterDomainClaim, "", meta.name)
    ours = claim is not None and claim.spec.namespace == meta.namespace
    if claim is None or not ours or not view.config.network.autocreate_cluster_domain_claims:
        return (gone,)
    # The next one to claim the domain may do so as soon as this one is gone.
    return (gone, Delete(key_of(claim)))


def _mapped(mapping: DomainMapping, view: View, editor: ConditionEditor) -> tuple[Change, ...]:
    meta = mapping.metadata
    claim = view.get(ClusterDomainClaim, "", meta.name)
    changes: tuple[Change, ...] = ()
    if claim is None and view.config.network.autocreate_cluster_domain_claims:
        changes = (Create(_claim(mapping)),)
    elif claim is None or claim.spec.namespace != meta.namespace:
        editor.false(DOMAIN_CLAIMED, "DomainAlreadyClaimed", CLAIMED_ALREADY)
        return _withdrawn(mapping, view)
    editor.true(DOMAIN_CLAIMED)
    stored = view.get(Ingress, meta.namespace, child_name(meta.name, ""))
    _certified(mapping, stored, editor)
    try:
        host = _host(mapping, view)
    except _Unresolved as exc:
        editor.false(REFERENCE_RESOLVED, "ResolveFailed", str(exc))
        return changes
    editor.true(REFERENCE_RESOLVED)
    try:
        spec = _ingress_spec(mapping, host, view.config)
    except HTTPProtocolError as exc:
        cannot_be(editor, str(exc))
        return changes
    ingress, more = _ingress(mapping, stored, spec)
    as_said_by(editor, ingress, stored)
    return (*changes, *more)


def _certified(mapping: DomainMapping, stored: Ingress | None, editor: ConditionEditor) -> None:
    """Whether clients get a certificate, by what the Ingress says that is there already."""
    tls = mapping.spec.tls
    if tls is None:
        editor.true(CERTIFICATE_PROVISIONED, "TLSNotEnabled", TLS_NOT_ENABLED)
        return
    asked = stored is not None and stored.spec.tls == _tls(mapping)
    known = None
    if stored is not None and asked:
        known = find(stored.status.conditions, NETWORK_CONFIGURED)
        if stored.status.observed_generation != stored.metadata.generation:
            known = None
    if known is not None and known.reason in {NOT_READY, FAILED}:
        editor.copy(CERTIFICATE_PROVISIONED, known)
    elif known is not None and known.status == "True":
        editor.true(CERTIFICATE_PROVISIONED, "CertificateExternallyProvided", PROVIDED_EXTERNALLY)
    else:
        unusable = not_ready(tls.secret_name)
        editor.unknown(CERTIFICATE_PROVISIONED, unusable.reason, unusable.message)


def _claim(mapping: DomainMapping) -> ClusterDomainClaim:
    meta = mapping.metadata
    return ClusterDomainClaim(
        metadata=ObjectMeta(name=meta.name),
        spec=ClusterDomainClaimSpec(namespace=meta.namespace),
    )


def _withdrawn(mapping: DomainMapping, view: View) -> tuple[Change, ...]:
    """Without the claim the domain must not lead here any more.

    Differs: upstream leaves the Ingress of a mapping whose claim was given to somebody else.
    """
    meta = mapping.metadata
    stored = view.get(Ingress, meta.namespace, child_name(meta.name, ""))
    return () if stored is None else (Delete(key_of(stored)),)


def _url(mapping: DomainMapping, config: Config) -> str:
    if mapping.spec.tls is not None:
        return https_url(mapping.metadata.name, config)
    return external_url(mapping.metadata.name, config)


def _host(mapping: DomainMapping, view: View) -> str:
    """The host inside the cluster that the reference stands for. Raises ``_Unresolved``."""
    url = _address(mapping, view)
    parts = urlsplit(url)
    if parts.path.removesuffix("/"):
        raise _Unresolved(f'resolved URI "{url}" contains a path')
    host = parts.hostname or ""
    suffix = f".{CLUSTER_DOMAIN}"
    labels = host.removesuffix(suffix).split(".")
    if not host.endswith(suffix) or len(labels) != 2:
        raise _Unresolved(
            f'resolved URI "{url}" must be of the form {{name}}.{{namespace}}{suffix}'
        )
    if labels[1] != mapping.metadata.namespace:
        raise _Unresolved(f'resolved URI "{url}" must be in same namespace as DomainMapping')
    return host


def _address(mapping: DomainMapping, view: View) -> str:
    """The address of what the reference names. Raises ``_Unresolved``."""
    ref, namespace = mapping.spec.ref, mapping.metadata.namespace
    kind = _ADDRESSABLE.get((ref.api_version.rpartition("/")[0], ref.kind))
    if kind is None:
        named = f"{ref.kind} of {ref.api_version}"
        raise _Unresolved(f"{named} has no address that a domain could lead to")
    found = view.get(kind, namespace, ref.name)
    match found:
        case None:
            what = f'{info_of(kind).resource} "{ref.name}" not found'
            raise _Unresolved(f"failed to get object {namespace}/{ref.name}: {what}")
        case Service(status=status) | Route(status=status):
            if status.address is not None and status.address.url:
                return status.address.url
            raise _Unresolved(
                f"address not set for Kind = {ref.kind}, Namespace = {namespace}, Name ="
                f" {ref.name}, APIVersion = {ref.api_version}, Group = , Address = "
            )
        case _:
            return f"http://{ref.name}.{namespace}.{CLUSTER_DOMAIN}"


def _ingress_spec(mapping: DomainMapping, host: str, config: Config) -> IngressSpec:
    meta = mapping.metadata
    return IngressSpec(
        rules=(Rule(hosts=(meta.name,), visibility="ExternalIP", rewrite_host=host),),
        http_option=http_option(meta.annotations, config),
        tls=_tls(mapping),
    )


def _tls(mapping: DomainMapping) -> tuple[IngressTLS, ...]:
    meta, tls = mapping.metadata, mapping.spec.tls
    if tls is None:
        return ()
    hosts = (meta.name,)
    return (IngressTLS(hosts=hosts, secret_name=tls.secret_name, secret_namespace=meta.namespace),)


def _ingress(
    mapping: DomainMapping, stored: Ingress | None, spec: IngressSpec
) -> tuple[Ingress, tuple[Change, ...]]:
    meta = mapping.metadata
    wanted = ObjectMeta(
        name=child_name(meta.name, ""),
        namespace=meta.namespace,
        labels={
            **meta.labels,
            DOMAIN_MAPPING_UID: meta.uid,
            DOMAIN_MAPPING_NAMESPACE: meta.namespace,
        },
        annotations=handed_down(meta.annotations),
        owner_references=owned_by(mapping),
    )
    if stored is None:
        ingress = Ingress(metadata=wanted, spec=spec)
        return ingress, (Create(ingress),)
    metadata = msgspec.structs.replace(
        stored.metadata, labels=wanted.labels, annotations=wanted.annotations
    )
    changed = msgspec.structs.replace(stored, metadata=metadata, spec=spec)
    return changed, () if changed == stored else (Update(changed),)


def _with_finalizers(mapping: DomainMapping, finalizers: tuple[str, ...]) -> DomainMapping:
    metadata = msgspec.structs.replace(mapping.metadata, finalizers=finalizers)
    return msgspec.structs.replace(mapping, metadata=metadata)
