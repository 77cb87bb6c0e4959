"""Revision and the template it is stamped from.

Source: Knative reference §1.3, §1.4, §1.7, §1.8, §1.11; knative/serving ``pkg/apis/serving/v1``
(``revision_defaults.go``, ``revision_validation.go``).
Differs: ``enableServiceLinks`` is defaulted on updates too, and a template that brings its own name
is when its defaults make it the stored one. knlite applies whole files, and applying the same file
again must change nothing.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.defaults import DefaultsConfig
from knlite.kinds.fielderror import Errors, FieldError, generic, out_of_bounds, under
from knlite.kinds.labels import CONFIGURATION
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.podspec.defaults import pod_defaulted
from knlite.kinds.podspec.fields import PodSpec
from knlite.kinds.podspec.validation import pod_errors
from knlite.kinds.serving.annotations import template_errors
from knlite.kinds.serving.autoscaling import autoscaling_errors, unmeasured_errors
from knlite.kinds.serving.changes import REVISION_SPEC, REVISION_TEMPLATE, changes
from knlite.kinds.serving.metadata import name_errors, owner_errors, revision_name_errors

RESOURCES_AVAILABLE = "ResourcesAvailable"
CONTAINER_HEALTHY = "ContainerHealthy"
ACTIVE = "Active"

CONDITIONS = ConditionSet((RESOURCES_AVAILABLE, CONTAINER_HEALTHY))
"""``Active`` is informational: a revision at zero stays Ready."""


class RevisionSpec(PodSpec):
    """A pod and how requests reach it. Timeouts are in seconds; None means not set."""

    container_concurrency: int | None = None
    timeout_seconds: int | None = None
    response_start_timeout_seconds: int | None = None
    idle_timeout_seconds: int | None = None


class RevisionTemplate(Fields):
    """What the next revision will look like. A name is only given by those who bring their own."""

    metadata: ObjectMeta = ObjectMeta()
    spec: RevisionSpec = RevisionSpec()


class ContainerStatus(Fields):
    """The image a container really runs; the digest is fixed at creation."""

    name: str = ""
    image_digest: str = ""


class RevisionStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] | None = None
    log_url: str = ""
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    actual_replicas: int | None = None
    desired_replicas: int | None = None


class Revision(Object):
    """An immutable snapshot of code and configuration."""

    spec: RevisionSpec = RevisionSpec()
    status: RevisionStatus = msgspec.field(default_factory=RevisionStatus)


def defaulted(obj: Revision, old: Revision | None, config: Config) -> Revision:
    """*obj* with its defaults; a stored one stays as it is, since its spec is immutable."""
    if old is not None:
        return obj
    return msgspec.structs.replace(obj, spec=_spec_defaulted(obj.spec, config, ObjectMeta()))


def validated(obj: Revision, old: Revision | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    if old is not None and (difference := changes(REVISION_SPEC, old.spec, obj.spec)):
        text = "Immutable fields changed (-old +new)"
        return (generic(text, "spec", details=difference),)
    meta = obj.metadata
    annotations = autoscaling_errors(meta.annotations, config.autoscaler)
    errors: list[FieldError] = [
        *under("metadata", name_errors(meta)),
        *under("metadata.annotations", annotations),
        *under("metadata.labels", owner_errors(meta, CONFIGURATION, "Configuration")),
    ]
    if old is None:
        errors += under("spec", _spec_errors(obj.spec, config))
    return tuple(errors)


def template_defaulted(
    template: RevisionTemplate, old: RevisionTemplate | None, config: Config, parent: ObjectMeta
) -> RevisionTemplate:
    """The template of *parent* with its defaults.

    Where it keeps the name it brought before, defaults that have changed since must not change it.
    """
    spec = _spec_defaulted(template.spec, config, parent)
    with_defaults = msgspec.structs.replace(template, spec=spec)
    if old is None or not template.metadata.name or template.metadata.name != old.metadata.name:
        return with_defaults
    return template if changes(REVISION_TEMPLATE, old, with_defaults) else with_defaults


def template_validated(
    template: RevisionTemplate, old: RevisionTemplate | None, config: Config, parent: ObjectMeta
) -> Errors:
    """What is wrong with the template of *parent*; paths begin below the template."""
    meta = template.metadata
    annotations = (
        *autoscaling_errors(meta.annotations, config.autoscaler),
        *template_errors(meta.annotations),
    )
    return (
        *under("spec", _spec_errors(template.spec, config)),
        *under("spec", unmeasured_errors(meta.annotations, template.spec, config.autoscaler)),
        *under("metadata.annotations", annotations),
        *under("metadata", revision_name_errors(meta, parent)),
        *_renaming_errors(template, old),
    )


def _renaming_errors(template: RevisionTemplate, old: RevisionTemplate | None) -> Errors:
    """Who names revisions must give a changed one another name."""
    name = template.metadata.name
    if old is None or not name or name != old.metadata.name:
        return ()
    difference = changes(REVISION_TEMPLATE, old, template)
    if not difference:
        return ()
    text = "Saw the following changes without a name change (-old +new)"
    return (generic(text, "metadata.name", details=difference),)


def _spec_defaulted(spec: RevisionSpec, config: Config, parent: ObjectMeta) -> RevisionSpec:
    defaults = config.defaults
    timeout = spec.timeout_seconds or defaults.revision_timeout_seconds
    concurrency = spec.container_concurrency
    return msgspec.structs.replace(
        pod_defaulted(spec, config, parent),
        timeout_seconds=timeout,
        idle_timeout_seconds=_shorter(
            spec.idle_timeout_seconds, defaults.revision_idle_timeout_seconds, timeout
        ),
        response_start_timeout_seconds=_shorter(
            spec.response_start_timeout_seconds,
            defaults.revision_response_start_timeout_seconds,
            timeout,
        ),
        container_concurrency=defaults.container_concurrency
        if concurrency is None
        else concurrency,
    )


def _shorter(said: int | None, standard: int, timeout: int) -> int | None:
    """A timeout within *timeout*; the standard one only where it would end anything earlier."""
    if said is None and 0 != standard < timeout:
        return standard
    return said


def _spec_errors(spec: RevisionSpec, config: Config) -> Errors:
    return (*pod_errors(spec, config.features), *_number_errors(spec, config.defaults))


def _number_errors(spec: RevisionSpec, defaults: DefaultsConfig) -> Errors:
    errors: list[FieldError] = []
    timeout, longest = spec.timeout_seconds or 0, defaults.max_revision_timeout_seconds
    if timeout and not 0 <= timeout <= longest:
        errors.append(out_of_bounds(timeout, 0, longest, "timeoutSeconds"))
    concurrency, most = spec.container_concurrency, defaults.container_concurrency_max_limit
    least = 0 if defaults.allow_container_concurrency_zero else 1
    if concurrency is not None and not least <= concurrency <= most:
        errors.append(out_of_bounds(concurrency, least, most, "containerConcurrency"))
    return tuple(errors)
