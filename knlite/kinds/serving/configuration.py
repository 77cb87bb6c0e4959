"""Configuration: the latest template, and the revisions made from it.

Source: Knative reference §1.2, §1.3, §1.9, §1.11; knative/serving
``pkg/apis/serving/v1/configuration_validation.go``.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, under
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.annotations import author_errors, misplaced_autoscaling_errors
from knlite.kinds.serving.metadata import name_errors, owner_errors
from knlite.kinds.serving.revision import (
    RevisionTemplate,
    template_defaulted,
    template_validated,
)

CONDITIONS = ConditionSet()


class ConfigurationSpec(Fields):
    template: RevisionTemplate = RevisionTemplate()


class ConfigurationStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] | None = None
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""


class Configuration(Object):
    """Stamps a new Revision whenever its template changes."""

    spec: ConfigurationSpec = ConfigurationSpec()
    status: ConfigurationStatus = ConfigurationStatus()


def defaulted(obj: Configuration, old: Configuration | None, config: Config) -> Configuration:
    """*obj* with the defaults of its template."""
    template = template_defaulted(
        obj.spec.template, old.spec.template if old is not None else None, config, obj.metadata
    )
    return replace(obj, spec=replace(obj.spec, template=template))


def validated(obj: Configuration, old: Configuration | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    meta = obj.metadata
    template = template_validated(
        obj.spec.template, old.spec.template if old is not None else None, config, meta
    )
    errors: list[FieldError] = [
        *under("metadata", name_errors(meta)),
        *under("metadata.annotations", misplaced_autoscaling_errors(meta.annotations)),
        *under("metadata.labels", owner_errors(meta, SERVICE, "Service")),
        *under("spec.template", template),
    ]
    if old is not None and not meta.owner_references:
        errors += under(
            "metadata.annotations",
            author_errors(
                meta.annotations, old.metadata.annotations, spec_changed=obj.spec != old.spec
            ),
        )
    return tuple(errors)
