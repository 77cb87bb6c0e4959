"""Services as their page shows them: all in a list, one with everything that is its.

A Route that no Service has made stands beside them: it has an address and traffic all the same.

Source: Knative reference §1.3, §1.11.
Not here: one revision (``revisionview.py``).
"""

from collections.abc import Sequence

from knlite.console.revisionview import (
    InstanceView,
    Known,
    RevisionView,
    Row,
    Share,
    instance_view,
    revision_view,
)
from knlite.console.standing import standing
from knlite.errors import NotFound
from knlite.kinds.conditions import Conditions
from knlite.kinds.core.pod import Pod
from knlite.kinds.labels import CONFIGURATION, REVISION, SERVICE
from knlite.kinds.meta import controller_of
from knlite.kinds.podspec.fields import leading_container
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route, TrafficTarget
from knlite.kinds.serving.service import Service
from knlite.reconcile import View

Served = Service | Route


class ServiceRow(Row):
    """One of the list."""

    kind: str
    """``Service`` or ``Route``."""
    namespace: str
    name: str
    url: str
    address: str
    """Inside the cluster."""
    created: str
    ready: str
    reason: str
    message: str
    latest_created: str
    latest_ready: str
    image: str
    revisions: int
    traffic: Sequence[Share]
    """As it is now."""
    deleting: bool


class Domain(Row):
    """A name of its own that a DomainMapping gives it."""

    name: str
    url: str
    ready: str
    reason: str
    message: str


class ServiceDetail(Row):
    """Everything of one."""

    service: ServiceRow
    resource_version: str
    generation: int
    observed_generation: int
    conditions: Conditions
    wanted: Sequence[TrafficTarget]
    """``spec.traffic``, as it is to be written back."""
    revisions: Sequence[RevisionView]
    """The newest first."""
    instances: Sequence[InstanceView]
    domains: Sequence[Domain]


def service_rows(view: View) -> list[ServiceRow]:
    """All Services, and the Routes that belong to none."""
    routes = [each for each in view.listed(Route, "") if controller_of(each) is None]
    all_of_them: tuple[Served, ...] = (*view.listed(Service, ""), *routes)
    found = [service_row(each, view) for each in all_of_them]
    return sorted(found, key=lambda row: (row.namespace, row.name, row.kind))


def service_detail(view: View, namespace: str, name: str, known: Known) -> ServiceDetail:
    """That Service, else the Route of that name. Raises ``NotFound``."""
    obj: Served | None = view.get(Service, namespace, name) or view.get(Route, namespace, name)
    if obj is None:
        raise NotFound(
            f"there is no service {name} in namespace {namespace}",
            fix="see /knlite/services for those that there are",
        )
    shares = traffic_of(obj)
    revisions = sorted(
        revisions_of(obj, view),
        key=lambda each: (each.metadata.creation_timestamp or "", each.metadata.name),
        reverse=True,
    )
    pods = [
        pod
        for revision in revisions
        for pod in view.labelled(Pod, namespace, REVISION, revision.metadata.name)
    ]
    return ServiceDetail(
        service=service_row(obj, view),
        resource_version=obj.metadata.resource_version,
        generation=obj.metadata.generation,
        observed_generation=obj.status.observed_generation,
        conditions=obj.status.conditions,
        wanted=obj.spec.traffic,
        revisions=[revision_view(each, shares, view, known) for each in revisions],
        instances=[instance_view(pod) for pod in pods],
        domains=_domains(obj, view),
    )


def traffic_of(obj: Served) -> list[Share]:
    """The traffic of *obj* as it is now."""
    return [
        Share(
            revision=each.revision_name,
            latest=bool(each.latest_revision),
            percent=each.percent or 0,
            tag=each.tag,
            url=each.url,
        )
        for each in obj.status.traffic
    ]


def service_row(obj: Served, view: View) -> ServiceRow:
    """What the list says of *obj*."""
    meta, status, how = obj.metadata, obj.status, standing(obj)
    service = obj if isinstance(obj, Service) else None
    container = None if service is None else leading_container(service.spec.template.spec)
    return ServiceRow(
        kind=type(obj).__name__,
        namespace=meta.namespace,
        name=meta.name,
        url=status.url,
        address=status.address.url if status.address is not None else "",
        created=meta.creation_timestamp or "",
        ready=how.status,
        reason=how.reason,
        message=how.message,
        latest_created=service.status.latest_created_revision_name if service else "",
        latest_ready=service.status.latest_ready_revision_name if service else "",
        image=container.image if container is not None else "",
        revisions=len(revisions_of(obj, view)),
        traffic=traffic_of(obj),
        deleting=meta.deletion_timestamp is not None,
    )


def revisions_of(obj: Served, view: View) -> Sequence[Revision]:
    """The revisions that a Service has made, or that a Route sends requests to."""
    meta = obj.metadata
    if isinstance(obj, Service):
        return view.labelled(Revision, meta.namespace, SERVICE, meta.name)
    found: dict[str, Revision] = {}
    for target in (*obj.spec.traffic, *obj.status.traffic):
        if target.configuration_name:
            of_it = view.labelled(
                Revision, meta.namespace, CONFIGURATION, target.configuration_name
            )
            found.update({each.metadata.name: each for each in of_it})
        named = view.get(Revision, meta.namespace, target.revision_name)
        if named is not None:
            found[named.metadata.name] = named
    return tuple(found.values())


def _domains(obj: Served, view: View) -> list[Domain]:
    meta = obj.metadata
    kinds = {type(obj).__name__, "Route"}
    found = []
    for mapping in view.listed(DomainMapping, meta.namespace):
        ref = mapping.spec.ref
        if ref.name != meta.name or ref.kind not in kinds:
            continue
        how = standing(mapping)
        found.append(
            Domain(
                name=mapping.metadata.name,
                url=mapping.status.url,
                ready=how.status,
                reason=how.reason,
                message=how.message,
            )
        )
    return found
