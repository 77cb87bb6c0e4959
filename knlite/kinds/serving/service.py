"""Service: one Configuration and one Route of the same name.

Source: Knative reference §1.3, §1.11.
"""

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.revision import RevisionTemplate
from knlite.kinds.serving.route import Addressable, TrafficTarget

CONFIGURATIONS_READY = "ConfigurationsReady"
ROUTES_READY = "RoutesReady"

CONDITIONS = ConditionSet((CONFIGURATIONS_READY, ROUTES_READY))


class ServiceSpec(Fields):
    template: RevisionTemplate = RevisionTemplate()
    traffic: tuple[TrafficTarget, ...] = ()


class ServiceStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""
    url: str = ""
    address: Addressable | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class Service(Object):
    """A workload that is built from code and answers HTTP."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()
