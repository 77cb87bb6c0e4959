"""Route: which revisions get which share of the traffic.

Source: Knative reference §1.3, §5.3, §1.11.
"""

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object

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


class Addressable(Fields):
    """Where an object is reached from inside the cluster."""

    name: str | None = None
    url: str = ""


class RouteSpec(Fields):
    traffic: tuple[TrafficTarget, ...] = ()


class RouteStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    url: str = ""
    address: Addressable | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class Route(Object):
    """Gives revisions a name on the network."""

    spec: RouteSpec = RouteSpec()
    status: RouteStatus = RouteStatus()
