"""What a deployment asks a running knlite for, and waits for.

Source: Knative Functions reference §4.4.
Not here: the options and their order (``deploy.py``), what the objects say (``functions/``).
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from knlite.cli.client import Client
from knlite.errors import Conflict, KnliteError, NotFound
from knlite.functions.deployment import Reference, Tree, trigger_changes, updated
from knlite.kinds.catalog import info_of
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.core.secret import Secret
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import Object
from knlite.kinds.serving.service import Service

RETRIES = 3
"""Of an update that somebody else's came before."""
WITHIN = 120
"""Seconds until it has to be ready."""
ERROR_WINDOW = 2
"""Seconds that a failure has to last until it counts as one."""
_KINDS: Mapping[str, type[Object]] = {
    "Secret": Secret,
    "ConfigMap": ConfigMap,
    "PersistentVolumeClaim": PersistentVolumeClaim,
    "ServiceAccount": ServiceAccount,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A Service that is ready."""

    url: str
    revision: str
    uid: str
    new: bool
    """Whether there was none before."""


def require_present(client: Client, namespace: str, needed: Sequence[Reference]) -> None:
    """Raises ``KnliteError`` with a line for each object that is not there."""
    absent = [
        each.absent(namespace)
        for each in needed
        if client.found(info_of(_KINDS[each.kind]), namespace, each.name) is None
    ]
    if absent:
        raise KnliteError(
            "error(s) while validating resources:\n" + "\n".join(f"  {line}" for line in absent),
            fix=f"make them in namespace {namespace}: kubectl create, or a manifest for knlite up",
        )


def put_service(client: Client, namespace: str, wanted: Tree) -> tuple[Tree, bool]:
    """Make or update the Service; as it is kept, and whether it is new. Raises ``KnliteError``."""
    info = info_of(Service)
    for left in reversed(range(RETRIES + 1)):
        old = client.found(info, namespace, wanted["metadata"]["name"])
        try:
            if old is None:
                return client.create(info, namespace, wanted), True
            return client.replace(info, namespace, updated(old, wanted)), False
        except (Conflict, NotFound):
            # Somebody was faster; or it, or its namespace, has gone.
            if not left or _is_without_namespace(client, namespace):
                raise
    raise AssertionError("the last try returns or raises")


def wait_ready(
    client: Client, namespace: str, service: Tree, new: bool, say: Callable[[str], None]
) -> Deployed:
    """Wait until *service*, as it was just written, is ready. Raises ``KnliteError``."""
    name = service["metadata"]["name"]
    generation = service["metadata"]["generation"]
    deadline = perf_counter() + WITHIN
    why = failed = ""
    while (left := deadline - perf_counter()) > 0:
        # With a failure at hand only so long as it may still turn out to be none.
        seconds = min(ERROR_WINDOW, left) if failed else left
        before, failed = failed, ""
        for found in client.changes(info_of(Service), namespace, name, round(seconds)):
            status = found.get("status", {})
            ready = _ready(status)
            if status.get("observedGeneration") != generation or ready is None:
                continue
            if ready["status"] == "True":
                return Deployed(
                    url=status.get("url", ""),
                    revision=status.get("latestReadyRevisionName", ""),
                    uid=found["metadata"]["uid"],
                    new=new,
                )
            failed = ""
            text = str(ready.get("message") or ready.get("reason") or "")
            if ready["status"] == "False":
                failed = text
                if not before:
                    break
            elif text and text != why:
                say(text)
                why = text
        if failed and before:
            raise KnliteError(
                f'function "{name}" does not become ready',
                cause=failed,
                fix=f"correct it and deploy again; its log: knlite logs {name} -n {namespace}",
            )
    raise KnliteError(
        f'function "{name}" is not ready after {WITHIN} s',
        cause=failed or why,
        fix=f"see how it goes on: knlite get ksvc {name} -n {namespace}",
    )


def put_triggers(
    client: Client, namespace: str, service: str, uid: str, wanted: Sequence[Mapping[str, Any]]
) -> bool:
    """Make the Triggers of *service* what they are to be; whether any changed."""
    info = info_of(Trigger)
    changes = trigger_changes(service, uid, client.listed(info, namespace), wanted)
    if wanted:
        sys.stderr.write("🎯 Creating Triggers on the cluster\n")
    for name in changes.delete:
        client.delete(info, namespace, name)
    for tree in changes.create:
        client.create(info, namespace, tree)
    for tree in changes.replace:
        client.replace(info, namespace, tree)
    for broker in sorted({str(each["spec"]["broker"]) for each in wanted}):
        if client.found(info_of(Broker), namespace, broker) is None:
            sys.stderr.write(
                f'Warning: there is no Broker "{broker}" in namespace {namespace} yet; events come'
                " once there is\n"
            )
    return bool(changes)


def move_away(client: Client, namespace: str, name: str) -> None:
    """Delete the Service of an earlier deployment."""
    try:
        client.delete(info_of(Service), namespace, name)
    except NotFound:
        sys.stderr.write(
            f"Warning: Can't undeploy Function from namespace '{namespace}'. The Function's service"
            " was not found. The namespace or service may have already been removed\n"
        )


def _ready(status: Mapping[str, Any]) -> dict[str, Any] | None:
    conditions = status.get("conditions") or []
    return next((each for each in conditions if each.get("type") == "Ready"), None)


def _is_without_namespace(client: Client, namespace: str) -> bool:
    return client.found(info_of(Namespace), "", namespace) is None
