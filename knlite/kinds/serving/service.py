"""Service: one Configuration and one Route of the same name.

Source: Knative reference §1.2, §1.3, §1.11; knative/serving ``pkg/apis/serving/v1``
(``service_defaults.go``, ``service_validation.go``).
"""

from collections.abc import Mapping

from msgspec.structs import replace

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, under
from knlite.kinds.labels import ROLLOUT_DURATION
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.annotations import (
    author_errors,
    duration_errors,
    http_protocol_errors,
    misplaced_autoscaling_errors,
    misplaced_idle_errors,
    visibility_errors,
)
from knlite.kinds.serving.metadata import name_errors
from knlite.kinds.serving.revision import (
    RevisionTemplate,
    template_defaulted,
    template_validated,
)
from knlite.kinds.serving.route import TrafficTarget, traffic_defaulted, traffic_errors

CONFIGURATIONS_READY = "ConfigurationsReady"
ROUTES_READY = "RoutesReady"

CONDITIONS = ConditionSet((CONFIGURATIONS_READY, ROUTES_READY))


class ServiceSpec(Fields):
    template: RevisionTemplate = RevisionTemplate()
    traffic: tuple[TrafficTarget, ...] = ()


class ServiceStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] | None = None
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""
    url: str = ""
    address: Addressable | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class Service(Object):
    """A workload that is built from code and answers HTTP."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


def defaulted(obj: Service, old: Service | None, config: Config) -> Service:
    """*obj* with the defaults of its template; without traffic the latest revision gets all."""
    template = template_defaulted(
        obj.spec.template, old.spec.template if old is not None else None, config, obj.metadata
    )
    traffic = obj.spec.traffic or (TrafficTarget(latest_revision=True, percent=100),)
    return replace(
        obj, spec=replace(obj.spec, template=template, traffic=traffic_defaulted(traffic))
    )


def validated(obj: Service, old: Service | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    meta = obj.metadata
    template = template_validated(
        obj.spec.template, old.spec.template if old is not None else None, config, meta
    )
    errors: list[FieldError] = [
        *under("metadata", name_errors(meta)),
        *under("metadata.annotations", misplaced_autoscaling_errors(meta.annotations)),
        *under(
            "metadata.annotations",
            misplaced_idle_errors(meta.annotations, obj.spec.template.metadata.annotations),
        ),
        *under(
            "metadata.annotations",
            duration_errors(meta.annotations, ROLLOUT_DURATION, "rollout-duration"),
        ),
        *under("metadata.annotations", http_protocol_errors(meta.annotations)),
        *under("metadata.labels", visibility_errors(meta.labels)),
        *under("spec.template", template),
        *under("spec.traffic", traffic_errors(obj.spec.traffic, has_configuration=True)),
    ]
    if old is not None:
        errors += under(
            "metadata.annotations",
            author_errors(
                meta.annotations, old.metadata.annotations, spec_changed=obj.spec != old.spec
            ),
        )
    return tuple(errors)
