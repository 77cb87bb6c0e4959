"""What a pod must look like: containers and their ports, environment and resources.

Source: knative/serving ``pkg/apis/serving/k8s_validation.go``; Knative reference §1.5, §1.6.
Differs: errors of init containers are found below ``initContainers``, where upstream says
``containers``; an invalid quantity is an error beside the others, where upstream cannot decode the
object at all.
Not here: probes (``probes.py``), volumes (``volumes.py``), security contexts (``security.py``).
"""

import json
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal

from knlite.kinds.config import features as flags
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    disallowed,
    generic,
    invalid,
    missing,
    neither,
    out_of_bounds,
    under,
)
from knlite.kinds.names import subdomain_1123_problems
from knlite.kinds.podspec import fieldmask
from knlite.kinds.podspec.fields import (
    Container,
    ContainerPort,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    PodSpec,
    Probe,
    Resources,
    Volume,
)
from knlite.kinds.podspec.imagereference import is_image_reference
from knlite.kinds.podspec.probes import probe_errors, readiness_errors
from knlite.kinds.podspec.security import (
    container_security_errors,
    insecure_defaults,
    pod_security_errors,
)
from knlite.kinds.podspec.volumes import mounts_errors, volumes_errors
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

Role = Literal["serving", "sidecar", "init"]

RESERVED_NAMES = frozenset({"queue-proxy"})
RESERVED_ENV = frozenset({"K_SERVICE", "K_CONFIGURATION", "K_REVISION"})
RESERVED_PORTS = frozenset({8008, 8012, 8013, 8022, 9090, 9091})
PORT_NAMES = frozenset({"", "h2c", "http1"})
_TERMINATION_POLICIES = frozenset({"", "File", "FallbackToLogsOnError"})


def pod_errors(pod: PodSpec, features: FeaturesConfig) -> Errors:
    """What is wrong with *pod*, and warnings about what it leaves insecure."""
    volumes = {volume.name: volume for volume in pod.volumes}
    return tuple(
        chain(
            fieldmask.pod_errors(pod, features),
            under("securityContext", pod_security_errors(pod.security_context, features)),
            insecure_defaults(pod, features),
            under("volumes", volumes_errors(pod, features)),
            _init_containers_errors(pod, volumes, features),
            under("containers[*]", _port_count_errors(pod.containers)),
            _containers_errors(pod, volumes, features),
            (
                invalid(pod.service_account_name, "serviceAccountName", problem)
                for problem in _account_problems(pod.service_account_name)
            ),
        )
    )


def _account_problems(name: str) -> tuple[str, ...]:
    return subdomain_1123_problems(name) if name else ()


def _init_containers_errors(
    pod: PodSpec, volumes: Mapping[str, Volume], features: FeaturesConfig
) -> Errors:
    containers = pod.init_containers
    if not containers:
        return ()
    if not features.enabled(flags.INIT_CONTAINERS):
        text = "pod spec support for init-containers is off, but found"
        return (generic(f"{text} {len(containers)} init containers"),)
    errors: list[FieldError] = []
    taken = {each.name for each in pod.containers}
    for index, container in enumerate(containers):
        found = _container_errors(container, "init", volumes, features)
        errors += under(f"initContainers[{index}]", (*_named_twice(container, taken), *found))
        taken.add(container.name)
    return tuple(errors)


def _containers_errors(
    pod: PodSpec, volumes: Mapping[str, Volume], features: FeaturesConfig
) -> Errors:
    containers = pod.containers
    if not containers:
        return (missing("containers"),)
    if len(containers) > 1 and not features.enabled(flags.MULTI_CONTAINER):
        return (generic(f"multi-container is off, but found {len(containers)} containers"),)
    port_name = next((each.ports[0].name for each in containers if each.ports), "") or "http"
    errors: list[FieldError] = []
    taken: set[str] = set()
    for index, container in enumerate(containers):
        serving = len(containers) == 1 or bool(container.ports)
        found = (
            *_named_twice(container, taken),
            *_probes_errors(container, port_name if serving else None, features),
            *_container_errors(container, "serving" if serving else "sidecar", volumes, features),
        )
        errors += under(f"containers[{index}]", found)
        taken.add(container.name)
    return tuple(errors)


def _named_twice(container: Container, taken: set[str]) -> Errors:
    if container.name not in taken:
        return ()
    return (generic(f'duplicate container name "{container.name}"', "name"),)


def _port_count_errors(containers: tuple[Container, ...]) -> Errors:
    """One port in the whole pod; with several containers it says which of them serves."""
    count = sum(len(container.ports) for container in containers)
    if count > 1:
        details = "Only a single port is allowed across all containers"
        return (generic("more than one container port is set", "ports", details=details),)
    if count == 0 and len(containers) > 1:
        return (missing("ports"),)
    return ()


def _probes_errors(container: Container, port_name: str | None, features: FeaturesConfig) -> Errors:
    """*port_name* None stands for a sidecar, whose probes a flag must open."""
    if port_name is None and not features.enabled(flags.MULTI_CONTAINER_PROBING):
        return tuple(
            chain(
                under("livenessProbe", _all_refused(container.liveness_probe)),
                under("readinessProbe", _all_refused(container.readiness_probe)),
                under("startupProbe", _all_refused(container.startup_probe)),
            )
        )
    return tuple(
        chain(
            under("livenessProbe", probe_errors(container.liveness_probe, port_name)),
            under("readinessProbe", readiness_errors(container.readiness_probe, port_name)),
            under("startupProbe", probe_errors(container.startup_probe, port_name)),
        )
    )


def _all_refused(probe: Probe | None) -> Errors:
    fields = fieldmask.set_fields(probe) if probe is not None else ()
    return (disallowed(*fields),) if fields else ()


def _container_errors(
    container: Container, role: Role, volumes: Mapping[str, Volume], features: FeaturesConfig
) -> Errors:
    if container == Container():
        return (missing(""),)
    errors = [
        *fieldmask.container_errors(container),
        *under("env", _env_errors(container.env, role, features)),
        *under("envFrom", _env_from_errors(container.env_from)),
        *_image_errors(container.image),
        *under("ports", _ports_errors(container.ports, role)),
        *under("resources", resources_errors(container.resources)),
        *under("securityContext", container_security_errors(container.security_context, features)),
        *under("volumeMounts", mounts_errors(container.volume_mounts, volumes, features)),
    ]
    if container.name in RESERVED_NAMES:
        errors.append(generic(f'"{container.name}" is a reserved container name', "name"))
    if container.termination_message_policy not in _TERMINATION_POLICIES:
        errors.append(invalid(container.termination_message_policy, "terminationMessagePolicy"))
    if role == "init":
        errors += _not_for_init_containers(container)
    return tuple(errors)


def _not_for_init_containers(container: Container) -> Iterable[FieldError]:
    text = "field not allowed in an init container"
    if container.liveness_probe is not None:
        yield generic(text, "livenessProbe")
    if container.readiness_probe is not None:
        yield generic(text, "readinessProbe")
    if container.startup_probe is not None:
        yield generic(text, "startupProbe")
    if container.lifecycle is not None:
        yield generic(text, "lifecycle")


def _image_errors(image: str) -> Errors:
    if not image:
        return (missing("image"),)
    if is_image_reference(image):
        return ()
    quoted = json.dumps(image, ensure_ascii=False)
    details = f"image: {quoted}, error: could not parse reference: {image}"
    return (generic("Failed to parse image reference", "image", details=details),)


def _env_errors(variables: tuple[EnvVar, ...], role: Role, features: FeaturesConfig) -> Errors:
    reserved = RESERVED_ENV | {"PORT"} if role == "serving" else RESERVED_ENV
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        where = f"[{index}]"
        if not variable.name:
            errors += under(where, (missing("name"),))
        elif variable.name in reserved:
            text = f'"{variable.name}" is a reserved environment variable'
            errors += under(where, (generic(text, "name"),))
        if variable.value_from is not None:
            found = _env_source_errors(variable.value_from, features)
            errors += under(where, under("valueFrom", found))
    return tuple(errors)


def _env_source_errors(source: EnvVarSource, features: FeaturesConfig) -> Errors:
    errors = [*fieldmask.env_source_errors(source, features)]
    references = (
        ("configMapKeyRef", source.config_map_key_ref),
        ("secretKeyRef", source.secret_key_ref),
    )
    for field, reference in references:
        if reference is not None and not reference.name:
            errors.append(missing(f"{field}.name"))
        if reference is not None and not reference.key:
            errors.append(missing(f"{field}.key"))
    return tuple(errors)


def _env_from_errors(sources: tuple[EnvFromSource, ...]) -> Errors:
    errors: list[FieldError] = []
    for index, source in enumerate(sources):
        references = (source.config_map_ref, source.secret_ref)
        given = [reference for reference in references if reference is not None]
        if len(given) != 1:
            # Without the index, as upstream reports it.
            complain = both if given else neither
            errors.append(complain("configMapRef", "secretRef"))
        elif not given[0].name:
            field = "configMapRef" if source.config_map_ref is not None else "secretRef"
            errors += under(f"[{index}]", (missing(f"{field}.name"),))
    return tuple(errors)


def _ports_errors(ports: tuple[ContainerPort, ...], role: Role) -> Errors:
    """Without an index, as upstream reports them: there is only one port."""
    if not ports:
        return ()
    if role == "init":
        return tuple(chain.from_iterable(_port_errors(port) for port in ports))
    port = ports[0]
    errors = [*_port_errors(port)]
    if port.protocol not in ("", "TCP"):
        errors.append(invalid(port.protocol, "protocol"))
    if port.name not in PORT_NAMES:
        details = "Name must be empty, or one of: 'h2c', 'http1'"
        errors.append(generic(f"Port name {port.name} is not allowed", "", details=details))
    return tuple(errors)


def _port_errors(port: ContainerPort) -> Errors:
    errors = [*fieldmask.port_errors(port)]
    number = port.container_port
    if number in RESERVED_PORTS:
        text = f"{number} is a reserved port"
        errors.append(invalid(text, "containerPort", f"{text}, please use a different value"))
    if not 0 <= number <= 65535:
        errors.append(out_of_bounds(number, 0, 65535, "containerPort"))
    return tuple(errors)


def resources_errors(resources: Resources | None) -> Errors:
    """What is wrong with *resources*; paths begin below it."""
    if resources is None:
        return ()
    errors = [*fieldmask.resources_errors(resources)]
    for field, quantities in (("requests", resources.requests), ("limits", resources.limits)):
        for name, quantity in quantities.items():
            try:
                parse_quantity(quantity)
            except InvalidQuantity as exc:
                errors.append(invalid(quantity, f"{field}[{name}]", str(exc)))
    return tuple(errors)
