"""``knlite doctor``: what this machine offers, and what would run how, and why."""

import errno
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import anyio
import uv
from rich.console import Console
from rich.text import Text

from knlite.cli import doctorservers
from knlite.cli.finding import Finding, Verdict
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.meta import Object
from knlite.kinds.podspec.fields import PodSpec, leading_container
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import RevisionTemplate
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
from knlite.manifests.project import Project, read_project
from knlite.runtime.docker.engine import Engine, NoEngine, find_engine
from knlite.serving.support import shortfalls, without_effect
from knlite.serving.workload import Choice, choose, declared_as, policy_named
from knlite.settings import Settings

_MARKS: Mapping[Verdict, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "note": ("·", "yellow"),
    "problem": ("✗", "red"),
}

DIFFERENCES = (
    "a route without a ready revision holds the request and says why, instead of 404",
    "an event for a subscriber that does not exist is kept until it does",
    "a revision has 120 s to become ready, instead of 600 s",
    "status.url carries the gateway's port, and the default domain is localhost",
    "without --data-dir brokers whose class names no server keep their events in memory",
    "CPU and memory limits hold for containers, not for local processes",
    "containers have no KUBERNETES_SERVICE_* variables and no service links",
    "a service account's token is made up, and an emptyDir on the disk has no limit",
    "a container that restarts takes the others of its instance along",
    "a Deployment makes its pods itself: no ReplicaSets, and no earlier template to go back to",
    "a local process finds the event of a JobSink in a folder that K_EVENT_PATH names",
)
HTTP_PORT = 80


def examine(paths: Sequence[Path], settings: Settings, *, as_json: bool) -> int:
    """Print the findings; 1 if one of them is a problem. Raises ``InvalidInput``."""
    engine = anyio.run(find_engine, settings.environ)
    if paths:
        project = read_project(paths, settings.environ)
        of_manifests = [
            *anyio.run(doctorservers.manifests, project, settings),
            *_workloads(project, settings, engine),
        ]
    else:
        of_manifests = list(doctorservers.extras(()))
    findings = [
        Finding("ok", "python", f"{sys.version.split()[0]} at {sys.executable}"),
        *_ports(settings),
        _engine(engine, settings),
        *_names(engine, settings),
        _uv(),
        _cache(settings.cache_dir),
        *of_manifests,
    ]
    if as_json:
        document = {
            "findings": [
                {"verdict": f.verdict, "subject": f.subject, "text": f.text, "fix": f.fix}
                for f in findings
            ],
            "differences": DIFFERENCES,
        }
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        _print(findings)
    return int(any(finding.verdict == "problem" for finding in findings))


def _print(findings: Sequence[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS[finding.verdict]
        line = Text(f"{mark} ", style=colour)
        line.append(f"{finding.subject.ljust(width)}  {finding.text}", style="default")
        console.print(line)
        if finding.fix:
            console.print(Text(f"  {' ' * width}  → {finding.fix}", style="dim"))
    console.print("\nDiffers from Knative on purpose:")
    for text in DIFFERENCES:
        console.print(f"  · {text}")


def _ports(settings: Settings) -> list[Finding]:
    findings = []
    for name, port, option in (
        ("gateway", settings.port, "--port"),
        ("admin", settings.admin_port, "--admin-port"),
    ):
        why = _taken(port)
        if why:
            findings.append(
                Finding(
                    "problem",
                    f"{name} port",
                    f"{port}: {why}",
                    f"end that program, or use {option}",
                )
            )
        else:
            findings.append(Finding("ok", f"{name} port", f"{port} is free"))
    return [*findings, _tls_port(settings.tls_port)]


def _tls_port(port: int) -> Finding:
    """Only who has a certificate needs it."""
    why = _taken(port)
    if not why:
        return Finding("ok", "HTTPS port", f"{port} is free")
    text = f"{port}: {why}; it is needed once a DomainMapping has a certificate"
    return Finding("note", "HTTPS port", text, "end that program, or use --tls-port")


def _names(engine: Engine | NoEngine, settings: Settings) -> list[Finding]:
    """Whether containers reach services by the cluster's URLs, which have no port."""
    if not isinstance(engine, Engine) or settings.port == HTTP_PORT:
        return []
    why = _taken(HTTP_PORT)
    if not why:
        return [Finding("ok", "cluster names", "containers use them without a port")]
    return [
        Finding(
            "note",
            "cluster names",
            f"containers use them with port {settings.port}, since {HTTP_PORT} is not to be had: "
            f"{why}",
            "end the program that listens there, or let users have the port: "
            f"sysctl net.ipv4.ip_unprivileged_port_start={HTTP_PORT}",
        )
    ]


def _taken(port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            in_use = exc.errno == errno.EADDRINUSE
            return "another program listens there" if in_use else str(exc.strerror)
    return ""


def _engine(engine: Engine | NoEngine, settings: Settings) -> Finding:
    if isinstance(engine, Engine):
        return Finding("ok", "engine", f"{engine.name} at {engine.url} ({engine.found})")
    if settings.runtime == "docker":
        return Finding("problem", "engine", engine.why, engine.fix)
    text = f"{engine.why}; services run as local processes"
    return Finding("note", "engine", text, engine.fix)


def _uv() -> Finding:
    try:
        return Finding("ok", "uv", f"{uv.find_uv_bin()}")
    except FileNotFoundError as exc:
        found = shutil.which("uv")
        if found:
            return Finding("ok", "uv", found)
        return Finding(
            "problem", "uv", str(exc), "install knlite again: python -m pip install knlite"
        )


def _cache(folder: Path) -> Finding:
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(nearest, os.W_OK):
        fix = "set XDG_CACHE_HOME to a folder that you may write to"
        return Finding("problem", "cache", f"{folder} cannot be written to", fix)
    return Finding("ok", "cache", f"{folder}; `knlite prune` removes what nobody uses")


def _workloads(project: Project, settings: Settings, engine: Engine | NoEngine) -> list[Finding]:
    findings: list[Finding] = []
    for each in project.declared:
        obj = each.obj
        template = _template_of(obj)
        if template is None:
            continue
        name = f"{obj.metadata.namespace}/{obj.metadata.name}"
        container = leading_container(template.spec)
        choice = choose(
            image=container.image if container else "",
            pull_policy=container.image_pull_policy if container else "",
            annotations=template.metadata.annotations,
            namespace=obj.metadata.namespace,
            manifest=declared_as(type(obj).__name__, obj.metadata.name),
            sources=project.sources,
            policy=policy_named(settings.runtime),
            no_engine="" if isinstance(engine, Engine) else engine.why,
        )
        if isinstance(choice, Choice):
            findings.append(Finding("ok", name, f"runs as {choice.runtime}: {choice.why}"))
            findings += _fields(name, template.spec, choice)
        else:
            findings.append(Finding("note", name, f"{choice.reason}: {choice.message}"))
    return findings


def _template_of(obj: Object) -> PodTemplate | RevisionTemplate | None:
    """What the instances of *obj* look like; None if it has none of its own."""
    match obj:
        case Service() | Configuration():
            return obj.spec.template
        case Deployment() | Job() | ContainerSource():
            return obj.spec.template
        case CronJob():
            return obj.spec.job_template.spec.template
        case JobSink():
            return obj.spec.job.spec.template if obj.spec.job is not None else None
        case _:
            return None


def _fields(name: str, spec: PodSpec, choice: Choice) -> Iterator[Finding]:
    """Fields of the template that cannot be had on the chosen runtime, or do nothing there."""
    for each in shortfalls(spec, choice.runtime, os.geteuid() or None):
        yield Finding("problem", name, f"cannot have {each.what} ({each.field})", each.fix)
    ignored = without_effect(spec, choice.runtime)
    if ignored:
        text = f"without effect on a {choice.runtime} instance: {', '.join(ignored)}"
        yield Finding("note", name, text)
