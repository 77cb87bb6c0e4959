"""Why Kubernetes would refuse a pod: the rules of names, numbers and resources that manifests meet.

Source: Kubernetes ``pkg/apis/core/validation``.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from knlite.kinds.names import label_1123_problems
from knlite.kinds.podspec.fields import Container, PodSpec, Probe, Resources
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

_ENV_NAME = re.compile(r"[ -<>-~]+", re.ASCII)
_ENV_NAME_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters other than"
    " '='"
)
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")


def pod_problems(pod: PodSpec) -> tuple[str, ...]:
    """Why Kubernetes would refuse *pod*, in its words; empty if it would take it."""
    return tuple(_pod_problems(pod))


def _pod_problems(pod: PodSpec) -> Iterator[str]:
    for field, containers in (
        ("initContainers", pod.init_containers),
        ("containers", pod.containers),
    ):
        for index, container in enumerate(containers):
            yield from _container_problems(container, f"spec.{field}[{index}]")


def _container_problems(container: Container, path: str) -> Iterator[str]:
    # One without a name gets one, which is always good.
    for problem in label_1123_problems(container.name) if container.name else ():
        yield _invalid(f"{path}.name", container.name, problem)
    for index, variable in enumerate(container.env):
        if not _ENV_NAME.fullmatch(variable.name):
            yield _invalid(f"{path}.env[{index}].name", variable.name, _ENV_NAME_TEXT)
    for index, mount in enumerate(container.volume_mounts):
        if ":" in mount.mount_path:
            where = f"{path}.volumeMounts[{index}].mountPath"
            yield _invalid(where, mount.mount_path, "must not contain ':'")
    policy = container.image_pull_policy
    if policy and policy not in _PULL_POLICIES:
        known = ", ".join(f'"{each}"' for each in _PULL_POLICIES)
        yield f'{path}.imagePullPolicy: Unsupported value: "{policy}": supported values: {known}'
    for field, probe in (
        ("livenessProbe", container.liveness_probe),
        ("startupProbe", container.startup_probe),
    ):
        if probe is not None:
            yield from _probe_problems(probe, f"{path}.{field}")
    if container.resources is not None:
        yield from _resources_problems(container.resources, f"{path}.resources")


def _probe_problems(probe: Probe, path: str) -> Iterator[str]:
    """The numbers of probes that Knative hands on as they are."""
    for field, value in (
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ):
        if value < 0:
            yield f"{path}.{field}: Invalid value: {value}: must be greater than or equal to 0"
    if probe.success_threshold not in (0, 1):
        value = probe.success_threshold
        yield f"{path}.successThreshold: Invalid value: {value}: must be 1"


def _resources_problems(resources: Resources, path: str) -> Iterator[str]:
    requests, limits = _amounts(resources.requests), _amounts(resources.limits)
    for field, said, amounts in (
        ("limits", resources.limits, limits),
        ("requests", resources.requests, requests),
    ):
        for name, amount in amounts.items():
            if amount < 0:
                text = "must be greater than or equal to 0"
                yield _invalid(f"{path}.{field}[{name}]", said[name], text)
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is not None and amount > limit:
            text = f"must be less than or equal to {name} limit of {resources.limits[name]}"
            yield _invalid(f"{path}.requests", resources.requests[name], text)


def _amounts(quantities: Mapping[str, str | int | float]) -> dict[str, Decimal]:
    amounts = {}
    for name, quantity in quantities.items():
        try:
            amounts[name] = parse_quantity(quantity)
        except InvalidQuantity:
            continue
    return amounts


def _invalid(path: str, value: object, text: str) -> str:
    return f'{path}: Invalid value: "{value}": {text}'
