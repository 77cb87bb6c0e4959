"""EndpointSlice and Endpoints: where requests for a service may be sent, in two spellings.

Source: Kubernetes discovery.k8s.io/v1 EndpointSlice, core/v1 Endpoints.
Not here: how they are made of a revision's instances (``serving/views/endpoints.py``).
"""

from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.meta import Fields, Object

SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice: the core Service whose addresses it lists."""
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


class EndpointPort(Fields):
    name: str = ""
    port: int | None = None
    protocol: str = ""
    app_protocol: str | None = None


class EndpointConditions(Fields):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(Fields):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    target_ref: ObjectReference | None = None


class EndpointSlice(Object):
    """Addresses of one core Service; everything is at the top, there is no spec."""

    address_type: str = ""
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class EndpointAddress(Fields):
    ip: str = ""
    target_ref: ObjectReference | None = None


class EndpointSubset(Fields):
    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Object):
    """The same in the older spelling; its name is that of the core Service."""

    subsets: tuple[EndpointSubset, ...] = ()


def slice_ports_column(obj: EndpointSlice) -> str:
    """``8012,8112``, or ``<unset>``."""
    return ",".join(str(port.port) for port in obj.ports) or "<unset>"


def slice_addresses_column(obj: EndpointSlice) -> str:
    """The addresses, or ``<unset>``."""
    return _shortened([each for endpoint in obj.endpoints for each in endpoint.addresses], "unset")


def addresses_column(obj: Endpoints) -> str:
    """``10.0.0.1:8012,…``, or ``<none>``."""
    found = [
        f"{address.ip}:{port.port}"
        for subset in obj.subsets
        for address in subset.addresses
        for port in subset.ports
    ]
    return _shortened(found, "none")


def _shortened(found: list[str], nothing: str) -> str:
    """As kubectl has it: the first three, and how many more there are."""
    if not found:
        return f"<{nothing}>"
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + more
