"""The environment of a container: whole objects, single variables, and the names of the contract.

Source: Knative reference §4.1; Kubernetes' expansion of ``$(NAME)``, envFrom, valueFrom.
Not here: ``PORT``, which the runtime sets. Differs: ``KUBERNETES_SERVICE_HOST`` and
``KUBERNETES_SERVICE_PORT`` are not set, since there is no API server that a program could reach
with a service account; nor are service links, whatever ``enableServiceLinks`` says, since the core
Services here are names without an address of their own.
"""

import re
from collections.abc import Mapping

from knlite.kinds.podspec.fields import Container, EnvVar
from knlite.reconcile import View
from knlite.serving import entries
from knlite.serving.downward import Identity, field_value, resource_value
from knlite.serving.vantage import Vantage, seen_from

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_VARIABLE = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")


def environment(
    container: Container, identity: Identity, view: View, vantage: Vantage
) -> dict[str, str]:
    """The author's variables. Raises ``InstanceFailed`` where a source is missing."""
    env = _whole_objects(container, identity.namespace, view)
    for variable in container.env:
        found = _value(variable, container, identity, env, view)
        if found is not None:
            env[variable.name] = seen_from(vantage, found)
    return env


def expanded(text: str, env: Mapping[str, str]) -> str:
    """*text* with ``$(NAME)`` replaced; ``$$`` is a dollar, unknown names stay as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def _whole_objects(container: Container, namespace: str, view: View) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in container.env_from:
        if source.config_map_ref is not None:
            reference = source.config_map_ref
            found = entries.config_map(reference.name, namespace, view)
            kind = "configmap"
        elif source.secret_ref is not None:
            reference = source.secret_ref
            found = entries.secret(reference.name, namespace, view)
            kind = "secret"
        else:
            continue
        if found is None:
            if not reference.optional:
                raise entries.missing(f'{kind} "{reference.name}" not found')
            continue
        for key, value in found.items():
            # As the kubelet: keys that cannot be variables are passed over.
            if _VARIABLE.fullmatch(source.prefix + key):
                env[source.prefix + key] = value.decode(errors="replace")
    return env


def _value(
    variable: EnvVar,
    container: Container,
    identity: Identity,
    env: Mapping[str, str],
    view: View,
) -> str | None:
    source = variable.value_from
    if source is None:
        return expanded(variable.value, env)
    namespace = identity.namespace
    if source.config_map_key_ref is not None:
        reference, kind = source.config_map_key_ref, "configmap"
        found = entries.config_map(reference.name, namespace, view)
    elif source.secret_key_ref is not None:
        reference, kind = source.secret_key_ref, "secret"
        found = entries.secret(reference.name, namespace, view)
    elif source.field_ref is not None:
        return field_value(source.field_ref, identity)
    elif source.resource_field_ref is not None:
        return resource_value(source.resource_field_ref, (container,), container.name)
    else:
        return None
    if found is not None and reference.key in found:
        return found[reference.key].decode(errors="replace")
    if reference.optional:
        return None
    if found is None:
        raise entries.missing(f'{kind} "{reference.name}" not found')
    where = "ConfigMap" if kind == "configmap" else "Secret"
    raise entries.missing(
        f"couldn't find key {reference.key} in {where} {namespace}/{reference.name}"
    )
