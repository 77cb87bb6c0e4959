"""The Knative Service and the Triggers that a function is deployed as.

Trees as they go through the API, the same that ``func`` makes of the same ``func.yaml``.

Source: Knative Functions reference §4.4; knative/func pkg/knative/deployer.go,
pkg/deployer/common.go, pkg/k8s/deployer.go.
Differs: volumes of an emptyDir are numbered; func gives them random names, new ones with each
deployment. No securityContext: func confines what runs on a cluster that others use, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from knlite.errors import InvalidInput
from knlite.functions.funcproblems import KEY, LOCAL, WHOLE, name_problem
from knlite.functions.funcspec import Env, FuncYaml, Kafka, Options, Volume
from knlite.kinds.quantities import canonical

Tree = dict[str, Any]

DEPLOYER = "function.knative.dev/deployer"
"""Annotation: what has deployed a function. Without it, and as ``knative``, it is a Service."""
NAME = "function.knative.dev/name"
RUNTIME = "function.knative.dev/runtime"
"""Label: the function's language."""
FUNCTION = "boson.dev/function"
DOMAIN = "func.domain"
BUILT = "BUILT"
"""Variable that differs with each deployment, so that each makes a revision."""

SERVING = "serving.knative.dev/v1"
_PORT = 8080
_SCALE = (
    ("min", "min-scale", "{:d}"),
    ("max", "max-scale", "{:d}"),
    ("metric", "metric", "{}"),
    ("target", "target", "{:f}"),
    ("utilization", "target-utilization-percentage", "{:f}"),
)

OF_SPEC = frozenset(
    {"containerConcurrency", "serviceAccountName", "imagePullSecrets", "volumes", "containers"}
)
"""The fields of a revision's spec that ``func.yaml`` decides, whether it sets them or not."""
OF_CONTAINER = frozenset(
    {
        "image",
        "env",
        "envFrom",
        "volumeMounts",
        "resources",
        "livenessProbe",
        "readinessProbe",
    }
)
"""The same of its container."""


def service_of(
    func: FuncYaml, *, namespace: str, image: str, built: str, environ: Mapping[str, str]
) -> Tree:
    """The Service of *func*, which runs *image*; *built* says when, as ``20060102T150405``.

    Variables and labels may refer to *environ*. Raises ``InvalidInput`` if it lacks one, or if no
    Service can have the function's name.
    """
    require_name(func.name)
    labels = labels_of(func, environ)
    annotations = {DEPLOYER: "knative", **func.deploy.annotations}
    envs, sources = _envs(func.run.envs, built, func.run.kafka, environ)
    volumes, mounts = _volumes(func.run.volumes)
    liveness, readiness = func.health
    container: Tree = {
        "image": image,
        "env": envs,
        "envFrom": sources,
        "volumeMounts": mounts,
        "resources": _resources(func.deploy.options),
        "livenessProbe": {"httpGet": {"path": liveness, "port": _PORT}},
        "readinessProbe": {"httpGet": {"path": readiness, "port": _PORT}},
    }
    secret = func.deploy.image_pull_secret
    spec: Tree = {
        "containerConcurrency": _concurrency(func.deploy.options),
        "serviceAccountName": func.deploy.service_account_name,
        "imagePullSecrets": [{"name": secret}] if secret else [],
        "volumes": volumes,
        "containers": [_without_empty(container)],
    }
    scale = _scale(func.deploy.options)
    return {
        "apiVersion": SERVING,
        "kind": "Service",
        "metadata": {
            "name": func.name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "template": {
                "metadata": {"labels": labels, "annotations": {**annotations, **scale}},
                "spec": _without_empty(spec),
            }
        },
    }


def require_name(name: str) -> None:
    """Raises ``InvalidInput`` if no Service can be called *name*."""
    if problem := name_problem(name):
        fix = "change name in func.yaml, or write one there: without, it is the folder's"
        raise InvalidInput(problem, fix=fix)


def triggers_of(func: FuncYaml, *, namespace: str, owner: str = "") -> list[Tree]:
    """The Triggers of the function's subscriptions; *owner* is the UID of its Service."""
    service = {"apiVersion": SERVING, "kind": "Service", "name": func.name}
    owners = [{**service, "uid": owner}] if owner else []
    return [
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": _without_empty(
                {
                    "name": f"{func.name}-function-trigger-{number}",
                    "namespace": namespace,
                    "ownerReferences": owners,
                }
            ),
            "spec": {
                "broker": subscription.source,
                "filter": _without_empty({"attributes": dict(subscription.filters)}),
                "subscriber": {"ref": service},
            },
        }
        for number, subscription in enumerate(func.deploy.subscriptions)
    ]


def labels_of(func: FuncYaml, environ: Mapping[str, str]) -> dict[str, str]:
    """The labels of the Service and of its template."""
    labels = {}
    for label in func.deploy.labels:
        local = LOCAL.fullmatch(label.value or "")
        # As func does: a label whose variable is not there is empty.
        value = environ.get(local[1], "") if local is not None else label.value or ""
        labels[label.key or ""] = value
    labels |= {FUNCTION: "true", NAME: func.name, RUNTIME: func.runtime}
    if func.domain:
        labels[DOMAIN] = func.domain
    return labels


def _envs(
    envs: Sequence[Env], built: str, kafka: Kafka | None, environ: Mapping[str, str]
) -> tuple[list[Tree], list[Tree]]:
    """``env`` and ``envFrom``."""
    values: list[Tree] = [{"name": BUILT, "value": built}]
    if all(env.name != "ADDRESS" for env in envs):
        values.append({"name": "ADDRESS", "value": "0.0.0.0"})
    sources: list[Tree] = []
    for env in envs:
        text = env.value or ""
        if whole := WHOLE.fullmatch(text):
            sources.append({f"{whole[1]}Ref": {"name": whole[2]}})
        elif key := KEY.fullmatch(text):
            reference = {"name": key[2], "key": key[3]}
            values.append({"name": env.name, "valueFrom": {f"{key[1]}KeyRef": reference}})
        elif local := LOCAL.fullmatch(text):
            if local[1] not in environ:
                raise InvalidInput(
                    f"expected environment variable '{local[1]}' not found",
                    cause=f"{env.name} of run.envs in func.yaml needs it",
                    fix=f"export {local[1]}, or give {env.name} a value",
                )
            values.append({"name": env.name, "value": environ[local[1]]})
        else:
            values.append({"name": env.name, "value": text})
    if kafka is not None:
        given = {
            "FUNC_TRANSPORT": "kafka",
            "KAFKA_BROKERS": kafka.brokers,
            "KAFKA_TOPIC": kafka.topic,
            "KAFKA_CONSUMER_GROUP": kafka.consumer_group,
        }
        values += ({"name": name, "value": value} for name, value in given.items())
    return values, sources


def _volumes(volumes: Sequence[Volume]) -> tuple[list[Tree], list[Tree]]:
    """``volumes`` of the pod and ``volumeMounts`` of the container."""
    made: dict[str, Tree] = {}
    mounts = []
    for number, volume in enumerate(volumes):
        claim, empty = volume.persistent_volume_claim, volume.empty_dir
        source: Tree
        if volume.secret is not None:
            name, source = f"secret-{volume.secret}", {"secret": {"secretName": volume.secret}}
        elif volume.config_map is not None:
            name = f"config-map-{volume.config_map}"
            source = {"configMap": {"name": volume.config_map}}
        elif claim is not None:
            name = f"pvc-{claim.claim_name}"
            read_only = {"readOnly": True} if claim.read_only else {}
            source = {"persistentVolumeClaim": {"claimName": claim.claim_name, **read_only}}
        elif empty is not None:
            name = f"empty-dir-{number}"
            limit = canonical(empty.size_limit) if empty.size_limit is not None else None
            given = {"medium": empty.medium, "sizeLimit": limit}
            source = {"emptyDir": _without_empty(given)}
        else:
            continue
        made.setdefault(name, {"name": name, **source})
        mounts.append({"name": name, "mountPath": volume.path})
    return list(made.values()), mounts


def _scale(options: Options) -> dict[str, str]:
    scale = options.scale
    if scale is None:
        return {}
    given = ((key, form, getattr(scale, field)) for field, key, form in _SCALE)
    return {
        f"autoscaling.knative.dev/{key}": form.format(value)
        for key, form, value in given
        if value is not None
    }


def _resources(options: Options) -> Tree:
    resources = options.resources
    found: Tree = {}
    if resources is None:
        return found
    for name, given in (("requests", resources.requests), ("limits", resources.limits)):
        if given is not None:
            quantities = {"cpu": given.cpu, "memory": given.memory}
            found[name] = {
                key: canonical(value) for key, value in quantities.items() if value is not None
            }
    return _without_empty(found)


def _concurrency(options: Options) -> int | None:
    limits = options.resources.limits if options.resources is not None else None
    return limits.concurrency if limits is not None else None


def _without_empty(tree: Mapping[str, Any]) -> Tree:
    return {key: value for key, value in tree.items() if value not in (None, "", [], {})}
