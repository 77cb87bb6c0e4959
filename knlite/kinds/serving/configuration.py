"""Configuration: the latest template, and the revisions made from it.

Source: Knative reference §1.3, §1.9, §1.11.
"""

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.revision import RevisionTemplate

CONDITIONS = ConditionSet()


class ConfigurationSpec(Fields):
    template: RevisionTemplate = RevisionTemplate()


class ConfigurationStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""


class Configuration(Object):
    """Stamps a new Revision whenever its template changes."""

    spec: ConfigurationSpec = ConfigurationSpec()
    status: ConfigurationStatus = ConfigurationStatus()
