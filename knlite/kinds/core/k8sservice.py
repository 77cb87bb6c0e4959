"""Kubernetes' own Service: a name inside the cluster.

A Route keeps one for itself and one for each tag, so that nobody else takes the name, and so that a
tag can be hidden by a label on it. Those that people write are kept and shown; nothing listens on
their addresses, since there are no pods that a selector could find but those of revisions.

Source: Kubernetes core/v1 Service, ``pkg/apis/core/validation`` (``ValidateService``); Knative
reference §1.1, §5.1, §5.2.
Differs: no address is allocated; ``clusterIP`` stays what its author wrote.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, generic
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import label_1035_problems, subdomain_1123_problems
from knlite.kinds.objectname import name_errors

EXTERNAL_NAME = "ExternalName"
_TYPES = ("ClusterIP", EXTERNAL_NAME, "LoadBalancer", "NodePort")


class ServicePort(Fields):
    """A port of the name; *target_port* is that of the pods, by number or by name."""

    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None
    port: int = 0
    target_port: int | str | None = None
    node_port: int = 0


class KubernetesServiceSpec(Fields):
    type: str = ""
    selector: Mapping[str, str] = msgspec.field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = msgspec.field(default=(), name="clusterIPs")
    external_name: str = ""
    external_ips: tuple[str, ...] = msgspec.field(default=(), name="externalIPs")
    session_affinity: str = ""
    session_affinity_config: Any = None
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    internal_traffic_policy: str | None = None
    external_traffic_policy: str = ""
    traffic_distribution: str | None = None
    publish_not_ready_addresses: bool = False
    health_check_node_port: int = 0
    allocate_load_balancer_node_ports: bool | None = None
    load_balancer_ip: str = msgspec.field(default="", name="loadBalancerIP")
    load_balancer_class: str | None = None
    load_balancer_source_ranges: tuple[str, ...] = ()


class KubernetesServiceStatus(Fields):
    load_balancer: Mapping[str, Any] = msgspec.field(default_factory=dict)


class KubernetesService(Object):
    """Kubernetes' Service, whose class cannot have the name that Knative's has."""

    spec: KubernetesServiceSpec = KubernetesServiceSpec()
    status: KubernetesServiceStatus = KubernetesServiceStatus()


def defaulted(
    obj: KubernetesService, old: KubernetesService | None, config: Config
) -> KubernetesService:
    """*obj* with a type, and its ports complete."""
    spec = obj.spec
    ports = tuple(
        msgspec.structs.replace(
            port,
            protocol=port.protocol or "TCP",
            target_port=port.port if port.target_port is None else port.target_port,
        )
        for port in spec.ports
    )
    spec = msgspec.structs.replace(
        spec,
        type=spec.type or "ClusterIP",
        session_affinity=spec.session_affinity or "None",
        ports=ports,
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: KubernetesService, old: KubernetesService | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    spec = obj.spec
    errors: list[FieldError] = [*name_errors(obj, label_1035_problems)]
    if spec.type not in _TYPES:
        known = ", ".join(f'"{each}"' for each in _TYPES)
        errors.append(
            generic(f'Unsupported value: "{spec.type}": supported values: {known}', "spec.type")
        )
    if spec.type == EXTERNAL_NAME:
        errors += (
            generic(problem, "spec.externalName")
            for problem in (
                subdomain_1123_problems(spec.external_name.removesuffix("."))
                if spec.external_name
                else ("Required value",)
            )
        )
    elif not spec.ports and spec.cluster_ip != "None":
        errors.append(generic("Required value", "spec.ports"))
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(spec.ports):
        path = f"spec.ports[{index}]"
        if not 1 <= port.port <= 65535:
            errors.append(generic("must be between 1 and 65535, inclusive", f"{path}.port"))
        if not port.name and len(spec.ports) > 1:
            errors.append(generic("Required value", f"{path}.name"))
        if (port.protocol, port.port) in seen:
            errors.append(generic("Duplicate value", path))
        seen.add((port.protocol, port.port))
    return tuple(errors)


def external_column(obj: KubernetesService) -> str:
    """EXTERNAL-IP as ``kubectl get svc`` shows it."""
    spec = obj.spec
    return spec.external_name or ",".join(spec.external_ips) or "<none>"


def ports_column(obj: KubernetesService) -> str:
    """``80/TCP``, comma separated."""
    return ",".join(f"{port.port}/{port.protocol}" for port in obj.spec.ports) or "<none>"
