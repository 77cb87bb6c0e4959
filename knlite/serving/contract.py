"""What an instance is told: its environment, command and limits, from its revision.

Source: Knative reference §4.1 (environment), §4.2 (process); Kubernetes' expansion of ``$(NAME)``.
Not here: ``PORT``, which the runtime sets.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from knlite.errors import InstanceFailed
from knlite.kinds.config.deployment import DeploymentConfig
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.durations import InvalidDuration, parse_go
from knlite.kinds.labels import CONFIGURATION, PROGRESS_DEADLINE, SERVICE
from knlite.kinds.podspec.fields import Container, EnvVar, Quantity, user_port
from knlite.kinds.quantities import parse as parse_quantity
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import View
from knlite.serving.vantage import Vantage, seen_from

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_VARIABLE = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What one instance of a revision is started with. *memory* is in bytes."""

    env: Mapping[str, str]
    port: int
    command: tuple[str, ...]
    args: tuple[str, ...]
    working_dir: str
    cpus: float | None
    memory: int | None
    user: int | None
    concurrency: int


def contract(revision: Revision, container: Container, view: View, vantage: Vantage) -> Contract:
    """The contract of an instance that reaches the gateway from *vantage*.

    Raises ``InstanceFailed`` (``CreateContainerConfigError``) where a ConfigMap, a Secret or a key
    of it is missing.
    """
    env = _environment(revision, container, view, vantage)
    resources = container.resources
    limits: Mapping[str, Quantity] = resources.limits if resources is not None else {}
    context = container.security_context
    return Contract(
        env=env,
        port=user_port(container),
        command=tuple(expanded(word, env) for word in container.command),
        args=tuple(expanded(word, env) for word in container.args),
        working_dir=container.working_dir,
        cpus=float(parse_quantity(limits["cpu"])) if "cpu" in limits else None,
        memory=int(parse_quantity(limits["memory"])) if "memory" in limits else None,
        user=context.run_as_user if context is not None else None,
        concurrency=revision.spec.container_concurrency or 0,
    )


def require_supported(revision: Revision, container: Container) -> None:
    """Refuse what a cluster would run and this machine does not, rather than run half of it.

    Raises ``InstanceFailed`` (``UnsupportedPod``).
    """
    spec = revision.spec
    mounted = {mount.name for mount in container.volume_mounts}
    sources = [each.name for each in spec.volumes if each.name in mounted and not each.empty_dir]
    problems = (
        (len(spec.containers) > 1, f"{len(spec.containers)} containers; only one can run"),
        (bool(spec.init_containers), "init containers"),
        (bool(sources), f"the mounted volume {', '.join(sources)}"),
    )
    for found, what in problems:
        if found:
            raise InstanceFailed(
                "UnsupportedPod",
                f"the revision has {what}, which knlite does not run yet",
                fix="leave it out here, and keep it in the manifest for the cluster",
            )


def progress_deadline(annotations: Mapping[str, str], config: DeploymentConfig) -> float:
    """Seconds that the first instance of a revision may take."""
    text = annotations.get(PROGRESS_DEADLINE, "")
    if not text:
        return config.progress_deadline
    try:
        return parse_go(text)
    except InvalidDuration:
        return config.progress_deadline


def expanded(text: str, env: Mapping[str, str]) -> str:
    """*text* with ``$(NAME)`` replaced; ``$$`` is a dollar, unknown names stay as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def _environment(
    revision: Revision, container: Container, view: View, vantage: Vantage
) -> dict[str, str]:
    meta = revision.metadata
    env = _whole_objects(container, meta.namespace, view)
    for variable in container.env:
        found = _value(variable, meta.namespace, env, view)
        if found is not None:
            env[variable.name] = seen_from(vantage, found)
    env["K_SERVICE"] = meta.labels.get(SERVICE, "")
    env["K_CONFIGURATION"] = meta.labels.get(CONFIGURATION, "")
    env["K_REVISION"] = meta.name
    return env


def _whole_objects(container: Container, namespace: str, view: View) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in container.env_from:
        if source.config_map_ref is not None:
            reference = source.config_map_ref
            entries = _config_map(reference.name, namespace, view)
            kind = "configmap"
        elif source.secret_ref is not None:
            reference = source.secret_ref
            entries = _secret(reference.name, namespace, view)
            kind = "secret"
        else:
            continue
        if entries is None:
            if not reference.optional:
                raise _missing(f'{kind} "{reference.name}" not found')
            continue
        for key, value in entries.items():
            # As the kubelet: keys that cannot be variables are passed over.
            if _VARIABLE.fullmatch(source.prefix + key):
                env[source.prefix + key] = value
    return env


def _value(variable: EnvVar, namespace: str, env: Mapping[str, str], view: View) -> str | None:
    source = variable.value_from
    if source is None:
        return expanded(variable.value, env)
    if source.config_map_key_ref is not None:
        reference, kind = source.config_map_key_ref, "configmap"
        entries = _config_map(reference.name, namespace, view)
    elif source.secret_key_ref is not None:
        reference, kind = source.secret_key_ref, "secret"
        entries = _secret(reference.name, namespace, view)
    else:
        return None
    if entries is not None and reference.key in entries:
        return entries[reference.key]
    if reference.optional:
        return None
    if entries is None:
        raise _missing(f'{kind} "{reference.name}" not found')
    where = "ConfigMap" if kind == "configmap" else "Secret"
    raise _missing(f"couldn't find key {reference.key} in {where} {namespace}/{reference.name}")


def _config_map(name: str, namespace: str, view: View) -> Mapping[str, str] | None:
    found = view.get(ConfigMap, namespace, name)
    return None if found is None else found.data


def _secret(name: str, namespace: str, view: View) -> Mapping[str, str] | None:
    found = view.get(Secret, namespace, name)
    if found is None:
        return None
    return {key: b64decode(value).decode(errors="replace") for key, value in found.data.items()}


def _missing(what: str) -> InstanceFailed:
    return InstanceFailed(
        "CreateContainerConfigError", what, fix="add it to the manifests, or mark it optional"
    )
