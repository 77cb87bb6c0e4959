"""How lists and maps of each kind take part in merging: whole, by key, or as sets.

Maps are merged member by member and lists are atomic unless said otherwise. Knative's kinds are
custom resources whose schemas say little; the core kinds say much.

Source: struct tags of ``k8s.io/api/core/v1`` (``patchMergeKey``, ``listType``, ``mapType``);
knative/serving ``config/core/300-resources`` (``x-kubernetes-list-type``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One place in a document.

    A list with *keys* is merged item by item: items are the same if those members are, where
    *defaults* stand in for absent ones; *fields* are the members of an item. Strategic merge knows
    only the first key.
    """

    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    is_set: bool = False
    atomic: bool = False

    def child(self, name: str) -> "Shape":
        """The shape of member *name*."""
        return self.fields.get(name, PLAIN)


PLAIN = Shape()
_ATOMIC = Shape(atomic=True)
_TCP = {"protocol": "TCP"}


def _by(*keys: str, defaults: Mapping[str, str] | None = None, **fields: Shape) -> Shape:
    return Shape(keys=keys, defaults=defaults or {}, fields=fields)


_REFERENCES = Shape(
    fields=dict.fromkeys(
        ("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"), _ATOMIC
    )
)
_CONTAINERS = _by(
    "name",
    env=_by("name", valueFrom=_REFERENCES),
    ports=_by("containerPort", "protocol", defaults=_TCP),
    volumeMounts=_by("mountPath"),
    volumeDevices=_by("devicePath"),
)
_POD_SPEC = Shape(
    fields={
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
        "volumes": _by("name"),
        "imagePullSecrets": _by("name"),
        "hostAliases": _by("ip"),
        "topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable"),
        "nodeSelector": _ATOMIC,
    }
)
_KNATIVE_POD_SPEC = Shape(
    fields={
        "volumes": _by("name"),
        "imagePullSecrets": _by("name"),
        "nodeSelector": _ATOMIC,
    }
)
_METADATA = Shape(fields={"ownerReferences": _by("uid"), "finalizers": Shape(is_set=True)})
_CONDITIONS = Shape(fields={"conditions": _by("type")})


def _kind(spec: Shape = PLAIN, **others: Shape) -> Shape:
    return Shape(fields={"metadata": _METADATA, "spec": spec, **others})


def _template(pod_spec: Shape) -> Mapping[str, Shape]:
    return {"template": Shape(fields={"metadata": _METADATA, "spec": pod_spec})}


_CUSTOM = _kind()
_SHAPES: Mapping[tuple[str, str], Shape] = {
    ("", "Namespace"): _kind(status=_CONDITIONS),
    ("", "Pod"): _kind(_POD_SPEC, status=_CONDITIONS),
    ("", "Service"): _kind(
        Shape(
            fields={
                "ports": _by("port", "protocol", defaults=_TCP),
                "selector": _ATOMIC,
            }
        ),
        status=_CONDITIONS,
    ),
    ("", "ServiceAccount"): _kind(secrets=_by("name"), imagePullSecrets=_by("name")),
    ("apps", "Deployment"): _kind(
        Shape(fields={"selector": _ATOMIC, **_template(_POD_SPEC)}), status=_CONDITIONS
    ),
    ("batch", "Job"): _kind(
        Shape(fields={"selector": _ATOMIC, **_template(_POD_SPEC)}), status=_CONDITIONS
    ),
    ("batch", "CronJob"): _kind(
        Shape(
            fields={
                "jobTemplate": Shape(
                    fields={"metadata": _METADATA, "spec": Shape(fields=_template(_POD_SPEC))}
                )
            }
        )
    ),
    ("serving.knative.dev", "Service"): _kind(Shape(fields=_template(_KNATIVE_POD_SPEC))),
    ("serving.knative.dev", "Configuration"): _kind(Shape(fields=_template(_KNATIVE_POD_SPEC))),
    ("serving.knative.dev", "Revision"): _kind(_KNATIVE_POD_SPEC),
}


def shape_of(group: str, kind: str) -> Shape:
    """The shape of documents of a kind."""
    return _SHAPES.get((group, kind), _CUSTOM)
