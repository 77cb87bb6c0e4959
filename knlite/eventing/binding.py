"""How a SinkBinding changes the workloads it selects: K_SINK and K_CE_OVERRIDES in each container.

The reconciler and the mutating webhook (``injected``) ask the same question, "how would this
workload look now?", so they cannot fight over an object. The sink is resolved at that moment and
not read from the binding's status: a binding whose subject does not exist yet has no status to
read, and just then the webhook has to give the first revision its variables.

Source: knative/eventing ``pkg/apis/sources/v1/sinkbinding_lifecycle.go``, knative/pkg
``webhook/psbinding``; Eventing reference §8.
"""

from typing import TypeVar

import msgspec

from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.references import group_in, kind_of
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.labels import BINDING_EXCLUDE
from knlite.kinds.meta import Object
from knlite.kinds.names import child_name
from knlite.kinds.podspec.fields import Container, EnvVar, Volume, VolumeMount
from knlite.kinds.selectors import matches
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.kinds.sources.source import CloudEventOverrides
from knlite.reconcile import View

K_SINK = "K_SINK"
K_CA_CERTS = "K_CA_CERTS"
K_CE_OVERRIDES = "K_CE_OVERRIDES"

K_OIDC_DIR = "K_OIDC_DIR"
"""Differs: says where the token is, since a local process has nothing at ``/oidc``."""

TOKEN_ENDING = "-oidc-token"
TOKEN_VOLUME = "oidc-token"
TOKEN_FOLDER = "/oidc"
TOKEN_FILE = "token"

_VARIABLES = frozenset((K_SINK, K_CA_CERTS, K_CE_OVERRIDES, K_OIDC_DIR))

Workload = Service | Configuration | Deployment | Job
"""What can be bound: the kinds here with a pod at ``spec.template.spec``."""

SUBJECTS: tuple[type[Workload], ...] = (Service, Configuration, Deployment, Job)

W = TypeVar("W", bound=Workload)


def bind(workload: W, sink: Resolved, overrides: CloudEventOverrides | None, secret: str = "") -> W:
    """*workload* with *sink* in the environment of every container, in the place of earlier ones.

    Without overrides their variable is there all the same, and empty, as upstream. The token in
    *secret*, if there is one, lies in a file.
    """
    env = [EnvVar(name=K_SINK, value=sink.url)]
    if sink.ca_certs is not None:
        env.append(EnvVar(name=K_CA_CERTS, value=sink.ca_certs))
    env.append(EnvVar(name=K_CE_OVERRIDES, value=_json(overrides)))
    if secret:
        env.append(EnvVar(name=K_OIDC_DIR, value=TOKEN_FOLDER))
    return _with(workload, tuple(env), secret)


def unbind(workload: W) -> W:
    """*workload* without what any binding has put there, also when its author wrote it."""
    return _with(workload, (), "")


def bound(workload: W, view: View) -> W:
    """*workload* as the bindings that select it want it now.

    One that is being deleted takes its variables along, unless another one takes over. A sink that
    does not resolve takes them away too. A workload that nothing selects stays as it is.

    Differs: upstream lets several bindings of one workload overwrite each other for ever. Here one
    wins: a binding by name before one by selector, then the first by name.
    """
    selecting = [
        binding
        for binding in view.listed(SinkBinding, workload.metadata.namespace)
        if selects(binding, workload)
    ]
    if not selecting:
        return workload
    living = [each for each in selecting if each.metadata.deletion_timestamp is None]
    if not living:
        return unbind(workload)
    winner = min(living, key=lambda each: (not each.spec.subject.name, each.metadata.name))
    sink = resolve(winner.spec.sink, winner.metadata.namespace, view)
    if not isinstance(sink, Resolved):
        return unbind(workload)
    asked = sink.audience is not None and view.config.eventing.features.authentication
    secret = token_secret(winner.metadata.name) if asked else ""
    return bind(workload, sink, winner.spec.ce_overrides, secret)


def injected(obj: Object, view: View) -> Object:
    """The mutating webhook: *obj* as it is to be stored, before it gets its defaults.

    The label ``bindings.knative.dev/exclude`` on the object or its namespace keeps it out; the
    reconciler does not ask for that label, as upstream.

    Differs: there is no inclusion mode, so nothing puts ``include`` on namespaces.
    """
    match obj:
        case Service() | Configuration() | Deployment() if not _excluded(obj, view):
            return bound(obj, view)
        case Job() if not _excluded(obj, view):
            # The template of a stored one cannot be changed; on a cluster, too, such an update
            # would be refused, and with it what it is about.
            meta = obj.metadata
            stored = view.get(Job, meta.namespace, meta.name) is not None
            return obj if stored else bound(obj, view)
        case _:
            return obj


def selects(binding: SinkBinding, workload: Workload) -> bool:
    """Whether *workload* is a subject of *binding*."""
    subject = binding.spec.subject
    if kind_of(group_in(subject.api_version), subject.kind) is not type(workload):
        return False
    if (subject.namespace or binding.metadata.namespace) != workload.metadata.namespace:
        return False
    if subject.name:
        return subject.name == workload.metadata.name
    return subject.selector is not None and matches(subject.selector, workload.metadata.labels)


def token_secret(binding: str) -> str:
    """The Secret with the token of the SinkBinding *binding*."""
    return child_name(binding, TOKEN_ENDING)


def _with(workload: W, env: tuple[EnvVar, ...], secret: str) -> W:
    template = workload.spec.template
    pod = template.spec
    mounts: tuple[VolumeMount, ...] = ()
    volumes = tuple(each for each in pod.volumes if each.name != TOKEN_VOLUME)
    if secret:
        projected = {"sources": [{"secret": {"name": secret}}]}
        volumes = (*volumes, Volume(name=TOKEN_VOLUME, projected=projected))
        mounts = (VolumeMount(name=TOKEN_VOLUME, mount_path=TOKEN_FOLDER, read_only=True),)
    spec = msgspec.structs.replace(
        pod,
        containers=tuple(_container(each, env, mounts) for each in pod.containers),
        init_containers=tuple(_container(each, env, mounts) for each in pod.init_containers),
        volumes=volumes,
    )
    return msgspec.structs.replace(
        workload,
        spec=msgspec.structs.replace(
            workload.spec, template=msgspec.structs.replace(template, spec=spec)
        ),
    )


def _container(
    container: Container, env: tuple[EnvVar, ...], mounts: tuple[VolumeMount, ...]
) -> Container:
    own = tuple(each for each in container.env if each.name not in _VARIABLES)
    mounted = tuple(each for each in container.volume_mounts if each.name != TOKEN_VOLUME)
    return msgspec.structs.replace(container, env=(*own, *env), volume_mounts=(*mounted, *mounts))


def _json(overrides: CloudEventOverrides | None) -> str:
    if overrides is None:
        return ""
    return msgspec.json.encode(overrides, order="deterministic").decode()


def _excluded(obj: Object, view: View) -> bool:
    namespace = view.get(Namespace, "", obj.metadata.namespace)
    return any(
        each.metadata.labels.get(BINDING_EXCLUDE) == "true"
        for each in (obj, namespace)
        if each is not None
    )
