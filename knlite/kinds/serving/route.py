"""Route: which revisions get which share of the traffic.

Source: Knative reference §1.2, §1.3, §1.11, §5.3; knative/serving ``pkg/apis/serving/v1``
(``route_defaults.go``, ``route_validation.go``).
"""

from collections.abc import Mapping

from msgspec.structs import replace

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    disallowed,
    generic,
    invalid,
    invalid_key,
    neither,
    out_of_bounds,
    under,
)
from knlite.kinds.labels import ROLLOUT_DURATION, SERVICE
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import label_1035_problems, qualified_name_problems
from knlite.kinds.serving.annotations import (
    author_errors,
    duration_errors,
    http_protocol_errors,
    misplaced_autoscaling_errors,
    visibility_errors,
)
from knlite.kinds.serving.metadata import name_errors, owner_errors

ALL_TRAFFIC_ASSIGNED = "AllTrafficAssigned"
INGRESS_READY = "IngressReady"
CERTIFICATE_PROVISIONED = "CertificateProvisioned"

CONDITIONS = ConditionSet((ALL_TRAFFIC_ASSIGNED, INGRESS_READY, CERTIFICATE_PROVISIONED))


class TrafficTarget(Fields):
    """One share of the traffic. ``percent`` None counts as 0; ``url`` is output only."""

    revision_name: str = ""
    configuration_name: str = ""
    latest_revision: bool | None = None
    percent: int | None = None
    tag: str = ""
    url: str = ""


class RouteSpec(Fields):
    traffic: tuple[TrafficTarget, ...] = ()


class RouteStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] | None = None
    url: str = ""
    address: Addressable | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class Route(Object):
    """Gives revisions a name on the network."""

    spec: RouteSpec = RouteSpec()
    status: RouteStatus = RouteStatus()


def defaulted(obj: Route, old: Route | None, config: Config) -> Route:
    """*obj* with complete traffic targets; a Route without any is left for validation."""
    return replace(obj, spec=replace(obj.spec, traffic=traffic_defaulted(obj.spec.traffic)))


def validated(obj: Route, old: Route | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    meta = obj.metadata
    errors: list[FieldError] = [
        *under("metadata", name_errors(meta)),
        *under("metadata.annotations", misplaced_autoscaling_errors(meta.annotations)),
        *under(
            "metadata.annotations",
            duration_errors(meta.annotations, ROLLOUT_DURATION, "rollout-duration"),
        ),
        *under("metadata.labels", owner_errors(meta, SERVICE, "Service")),
        *under("metadata.annotations", http_protocol_errors(meta.annotations)),
        *under("metadata.labels", visibility_errors(meta.labels)),
        *under("spec.traffic", traffic_errors(obj.spec.traffic, has_configuration=False)),
    ]
    if old is not None and not meta.owner_references:
        errors += under(
            "metadata.annotations",
            author_errors(
                meta.annotations, old.metadata.annotations, spec_changed=obj.spec != old.spec
            ),
        )
    return tuple(errors)


def traffic_defaulted(traffic: tuple[TrafficTarget, ...]) -> tuple[TrafficTarget, ...]:
    """*traffic* with ``latestRevision`` and ``percent`` said of each target."""
    return tuple(
        replace(
            target,
            latest_revision=not target.revision_name
            if target.latest_revision is None
            else target.latest_revision,
            percent=target.percent or 0,
        )
        for target in traffic
    )


def traffic_errors(traffic: tuple[TrafficTarget, ...], *, has_configuration: bool) -> Errors:
    """What is wrong with *traffic*; paths begin below the list.

    *has_configuration* is whether the configuration is given, as in a Service.
    """
    errors: list[FieldError] = []
    tagged: dict[str, int] = {}
    for index, target in enumerate(traffic):
        errors += under(f"[{index}]", _target_errors(target, has_configuration))
        if not target.tag:
            continue
        if problems := label_1035_problems(target.tag):
            # The index sits on the tag, as upstream reports it.
            text = f"not a DNS 1035 label: [{' '.join(problems)}]"
            errors.append(invalid(text, f"tag[{index}]"))
        first = tagged.setdefault(target.tag, index)
        if first != index:
            text = f'Multiple definitions for "{target.tag}"'
            errors.append(generic(text, f"[{first}].tag", f"[{index}].tag"))
    total = sum(target.percent or 0 for target in traffic)
    if total != 100:
        errors.append(generic(f"Traffic targets sum to {total}, want 100", ""))
    return tuple(errors)


def _target_errors(target: TrafficTarget, has_configuration: bool) -> Errors:
    errors = [*_referent_errors(target, has_configuration)]
    pinned = bool(target.revision_name)
    if target.latest_revision is pinned:
        latest = "true" if target.latest_revision else "false"
        text = f'may not set revisionName "{target.revision_name}" when latestRevision is {latest}'
        errors.append(generic(text, "latestRevision"))
    if target.percent is not None and not 0 <= target.percent <= 100:
        errors.append(out_of_bounds(target.percent, 0, 100, "percent"))
    if target.url:
        errors.append(disallowed("url"))
    return tuple(errors)


def _referent_errors(target: TrafficTarget, has_configuration: bool) -> Errors:
    """What gets the traffic: exactly one name, and a possible one."""
    if has_configuration and target.configuration_name:
        return (disallowed("configurationName"),)
    if target.revision_name and target.configuration_name:
        return (both("revisionName", "configurationName"),)
    if target.revision_name:
        return _reference_errors(target.revision_name, "revisionName")
    if target.configuration_name:
        return _reference_errors(target.configuration_name, "configurationName")
    return () if has_configuration else (neither("revisionName", "configurationName"),)


def _reference_errors(name: str, field: str) -> Errors:
    problems = qualified_name_problems(name)
    return (invalid_key(name, field, ", ".join(problems)),) if problems else ()
