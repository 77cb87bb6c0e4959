"""The Kubernetes Services that a Route keeps: one of its own name, and one for each tag.

They keep others from taking the names, and people hide a tag by a label on its Service.

Source: knative/serving ``pkg/reconciler/route/resources/service.go``; Knative reference §1.1,
§1.10, §5.1, §5.2.
What is removed from the Route's labels and annotations stays here, as Knative's conformance suite
insists, and so does what people add, as the label that hides a tag.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.k8sservice import (
    EXTERNAL_NAME,
    KubernetesService,
    KubernetesServiceSpec,
    ServicePort,
)
from knlite.kinds.labels import ROUTE, VISIBILITY
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.ownership import controls, owned_by
from knlite.kinds.serving.route import Route
from knlite.reconcile import Change, Create, Delete, Update, View, key_of
from knlite.serving.domains import local_host, public_host, tagged_name
from knlite.serving.ownership import handed_down

_PORT = ServicePort(
    name="http2", protocol="TCP", app_protocol="kubernetes.io/h2c", port=80, target_port=80
)


@dataclass(frozen=True, slots=True)
class Placed:
    """What has to change; *taken* is the name of a Service that is somebody else's."""

    changes: tuple[Change, ...] = ()
    taken: str = ""


def placeholders_of(route: Route, view: View) -> dict[str, KubernetesService]:
    """Those that there are, by name."""
    found = view.labelled(KubernetesService, route.metadata.namespace, ROUTE, route.metadata.name)
    return {each.metadata.name: each for each in found}


def placed(route: Route, tags: Iterable[str], local: frozenset[str], view: View) -> Placed:
    """The Services of *route* for *tags* ("" for itself), of which *local* are hidden.

    Raises ``DomainError``.
    """
    changes: list[Change] = []
    names = set()
    for tag in tags:
        wanted = _placeholder(route, tag, tag in local, view.config)
        names.add(wanted.metadata.name)
        stored = view.get(KubernetesService, route.metadata.namespace, wanted.metadata.name)
        if stored is None:
            changes.append(Create(wanted))
        elif not controls(route, stored):
            return Placed(taken=wanted.metadata.name)
        else:
            changed = _updated(stored, wanted)
            if changed != stored:
                changes.append(Update(changed))
    for name, stored in placeholders_of(route, view).items():
        if name not in names and controls(route, stored):
            changes.append(Delete(key_of(stored)))
    return Placed(tuple(changes))


def _placeholder(route: Route, tag: str, local: bool, config: Config) -> KubernetesService:
    meta = route.metadata
    host = local_host if local else public_host
    return KubernetesService(
        metadata=ObjectMeta(
            name=tagged_name(route, tag, config),
            namespace=meta.namespace,
            # Whether a tag is hidden is said of the tag.
            labels={**handed_down(meta.labels, VISIBILITY), ROUTE: meta.name},
            annotations=meta.annotations,
            owner_references=owned_by(route),
        ),
        spec=KubernetesServiceSpec(
            type=EXTERNAL_NAME,
            external_name=host(route, tag, config),
            session_affinity="None",
            ports=(_PORT,),
        ),
    )


def _updated(stored: KubernetesService, wanted: KubernetesService) -> KubernetesService:
    metadata = msgspec.structs.replace(
        stored.metadata,
        labels={**stored.metadata.labels, **wanted.metadata.labels},
        annotations={**stored.metadata.annotations, **wanted.metadata.annotations},
    )
    return msgspec.structs.replace(stored, metadata=metadata, spec=wanted.spec)
