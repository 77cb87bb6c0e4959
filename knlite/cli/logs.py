"""``knlite logs``: what the instances of a service, or of another workload, wrote."""

import json
import sys
from contextlib import suppress

from knlite.cli.client import Client
from knlite.cli.logtext import of_request
from knlite.errors import NotFound
from knlite.kinds.catalog import info_of
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.core.pod import Pod
from knlite.kinds.meta import Object
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource

_WORKLOADS: tuple[type[Object], ...] = (
    Service,
    Deployment,
    Job,
    CronJob,
    ContainerSource,
    JobSink,
    Pod,
)
"""What may have a log, in the order in which it is looked for."""


def show(
    name: str, namespace: str, admin_port: int, *, follow: bool, tail: int | None, as_json: bool
) -> None:
    """Print log lines. Raises ``NotFound``, ``Unreachable``."""
    client = Client(admin_port)
    with suppress(KeyboardInterrupt):
        # What is unknown has no lines, which would look like what is silent.
        _require_known(client, namespace, name)
        for line in client.log_lines(namespace, name, follow=follow, tail=tail):
            sys.stdout.write((line if as_json else _shown(json.loads(line))) + "\n")
            sys.stdout.flush()


def _shown(line: dict[str, str]) -> str:
    return of_request(line.get("request", ""), line["text"])


def _require_known(client: Client, namespace: str, name: str) -> None:
    """Raises ``NotFound`` if nothing of that name runs code."""
    for kind in _WORKLOADS:
        try:
            found = client.one(info_of(kind), namespace, name)
        except NotFound:
            continue
        owners = found["metadata"].get("ownerReferences") if kind is Pod else None
        if owners:
            # Its lines are among those of what it belongs to.
            raise NotFound(
                f'"{name}" is a pod of {owners[0]["kind"]} {owners[0]["name"]}',
                fix=f"kubectl logs -n {namespace} {name}",
            )
        return
    kinds = ", ".join(kind.__name__ for kind in _WORKLOADS)
    raise NotFound(
        f'nothing called "{name}" runs in namespace {namespace}',
        cause=f"there is no {kinds} of that name",
        fix="see what there is: knlite get pods",
    )
