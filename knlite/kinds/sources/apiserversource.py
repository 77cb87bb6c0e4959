"""ApiServerSource: sends an event whenever an object of the API changes.

Source: knative/eventing ``pkg/apis/sources/v1/apiserver_*.go``; Eventing reference §10.
"""

from typing import Final

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventingfeatures import APISERVERSOURCE_FILTERS
from knlite.kinds.eventing import destination, filters
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.selectors import LabelSelector
from knlite.kinds.sources.source import (
    DEPLOYED,
    OIDC_IDENTITY_CREATED,
    SINK_PROVIDED,
    CloudEventOverrides,
    SourceStatus,
    overrides_validated,
)

SUFFICIENT_PERMISSIONS: Final = "SufficientPermissions"

CONDITIONS = ConditionSet((SINK_PROVIDED, DEPLOYED, SUFFICIENT_PERMISSIONS, OIDC_IDENTITY_CREATED))

FINALIZER: Final = "apiserversources.sources.knative.dev"
API_SERVER: Final = "https://kubernetes.default.svc"
"""The ``source`` of all events.

Differs: upstream says by which address the adapter reaches the API server. A Trigger that asks for
that should not depend on which port is free, so this is the name that it has in every cluster.
"""
REFERENCE: Final = "Reference"
RESOURCE: Final = "Resource"
_SERVICE_ACCOUNT: Final = "default"


class WatchedResource(Fields):
    """Objects of one kind that are watched."""

    api_version: str = ""
    kind: str = ""
    selector: LabelSelector | None = None


class ResourceOwner(Fields):
    """A kind that must control the objects that are watched."""

    api_version: str = ""
    kind: str = ""


class ApiServerSourceSpec(Fields):
    resources: tuple[WatchedResource, ...] = ()
    owner: ResourceOwner | None = None
    mode: str = ""
    service_account_name: str = ""
    namespace_selector: LabelSelector | None = None
    filters: tuple[SubscriptionsAPIFilter, ...] = ()
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class ApiServerSourceStatus(SourceStatus):
    namespaces: tuple[str, ...] = ()


class ApiServerSource(Object):
    """Sends an event for every change of the objects it watches."""

    spec: ApiServerSourceSpec = ApiServerSourceSpec()
    status: ApiServerSourceStatus = ApiServerSourceStatus()


def event_types(mode: str) -> tuple[str, str, str]:
    """The types of the events about what was added, deleted and updated, in this order."""
    kind = "resource" if mode == RESOURCE else "ref"
    added, deleted, updated = (
        f"dev.knative.apiserver.{kind}.{what}" for what in ("add", "delete", "update")
    )
    return added, deleted, updated


def defaulted(obj: ApiServerSource, old: ApiServerSource | None, config: Config) -> ApiServerSource:
    """*obj* with a mode and a service account; its sink's namespace is not filled in."""
    spec = msgspec.structs.replace(
        obj.spec,
        mode=obj.spec.mode or REFERENCE,
        service_account_name=obj.spec.service_account_name or _SERVICE_ACCOUNT,
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: ApiServerSource, old: ApiServerSource | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change.

    Differs: a list of resources that is absent is refused like one that is empty.
    """
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    if spec.mode not in {REFERENCE, RESOURCE}:
        errors.append(invalid(spec.mode, "spec.mode"))
    errors.extend(under("spec.sink", destination.validated(spec.sink, config.eventing.enabled)))
    if not spec.resources:
        errors.append(missing("spec.resources"))
    for index, resource in enumerate(spec.resources):
        errors.extend(under(f"spec.resources[{index}]", _kind_validated(resource)))
    if spec.owner is not None:
        errors.extend(under("spec.owner", _kind_validated(spec.owner)))
    errors.extend(under("spec.ceOverrides", overrides_validated(spec.ce_overrides)))
    if spec.filters and not config.eventing.enabled(APISERVERSOURCE_FILTERS):
        errors.append(
            generic("Filters is not empty but the NewAPIServerFilters feature is disabled.")
        )
    errors.extend(under("spec.filters", filters.validated(spec.filters)))
    return tuple(errors)


def _kind_validated(named: WatchedResource | ResourceOwner) -> Errors:
    errors: list[FieldError] = []
    if named.api_version.count("/") > 1:
        errors.append(invalid(named.api_version, "apiVersion"))
    if not named.kind.strip():
        errors.append(missing("kind"))
    return tuple(errors)
