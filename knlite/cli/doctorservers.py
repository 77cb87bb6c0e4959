"""What ``knlite doctor`` finds of extras, and of the servers that manifests name.

The manifests are applied to a registry of their own, so that what ``--set``, defaults and templates
say of servers counts too.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import anyio

from knlite.cli.finding import Finding
from knlite.clock import SystemClock
from knlite.controlplane.applier import Applier
from knlite.controlplane.controller import Controller
from knlite.controlplane.foundation import lay_foundation
from knlite.controlplane.reconcilers import RECONCILERS
from knlite.errors import InvalidInput
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.resources import topology
from knlite.eventing.topology import ON_SERVERS, Resource
from knlite.eventlog.extras import installed, installing
from knlite.eventlog.ondemand import KAFKA, RABBITMQ, Maker
from knlite.facts import Fact
from knlite.kinds.config.values import ConfigInvalid
from knlite.manifests.project import Project
from knlite.registry.configmaps import require_known
from knlite.registry.registry import Registry
from knlite.settings import Settings

CONNECTING = 3.0
"""Seconds that a server has to take a connection."""
_NAMED = 2
"""Resources that a line names; it counts the others."""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where some resources expect a server."""

    engine: str
    host: str
    port: int
    shown: str


async def manifests(project: Project, settings: Settings) -> list[Finding]:
    """What admission refuses, else what is to be had of servers.

    Raises ``InvalidInput`` for ``--set`` that sets nothing.
    """
    registry, applier = _bench(settings)
    findings = [
        Finding("problem", "manifest", str(complaint), "correct the file")
        for complaint in (*project.complaints, *applier.check(project.declared))
    ]
    resources: list[Resource] = []
    if not findings:
        # Of a project with mistakes nothing would start.
        applier.apply(project.declared)
        known = topology(registry.view).resources.values()
        resources = [each for each in known if each.engine in ON_SERVERS]
    return [*findings, *extras(resources), *await _servers(resources)]


def extras(
    resources: Sequence[Resource], version_of: Callable[[str], str | None] = installed
) -> Iterator[Finding]:
    """Whether the client libraries are there, and who needs them."""
    for maker in (RABBITMQ, KAFKA):
        subject, version = f"extra {maker.extra}", version_of(maker.package)
        if version is not None:
            yield Finding("ok", subject, f"{maker.package} {version}")
            continue
        needing = [each for each in resources if each.engine == maker.extra]
        text = f"the Python package {maker.package} is not installed; {_need(maker, needing)}"
        yield Finding("note", subject, text, installing(maker.extra))


async def _servers(resources: Sequence[Resource]) -> list[Finding]:
    """Whether something listens where *resources* expect a server."""
    findings = [Finding("note", _name(each), each.problem) for each in resources if each.problem]
    waiting: dict[_Address, list[Resource]] = {}
    for each in resources:
        for address in _addresses(each):
            waiting.setdefault(address, []).append(each)
    for address, why in (await _tried(tuple(waiting))).items():
        subject, who = f"{address.engine} server", _names(waiting[address])
        if not why:
            text = f"{address.shown} takes connections; for {who}"
            findings.append(Finding("ok", subject, text))
            continue
        text = f"{address.shown}: {why}; not ready until it is there: {who}"
        findings.append(Finding("note", subject, text, _FIXES[address.engine]))
    return findings


_FIXES: Mapping[str, str] = {
    "rabbitmq": "start a RabbitMQ there, or correct what names it; for Brokers that name none:"
    " --set rabbitmq-broker-config.uri=HOST",
    "kafka": "start a Kafka there, or correct what names it; for Brokers that name none:"
    " --set kafka-broker-config.bootstrap.servers=HOST:PORT",
}
_KINDS: Mapping[str, str] = {
    "rabbitmq": "only Brokers of the class RabbitMQBroker and RabbitmqSources need it",
    "kafka": "only Brokers of the class Kafka, KafkaSources, KafkaSinks and KafkaChannels need it",
}


def _bench(settings: Settings) -> tuple[Registry, Applier]:
    """A registry that nobody serves; raises ``InvalidInput`` for ``--set`` that sets nothing."""
    require_known(settings.overrides)
    clock = SystemClock()
    try:
        registry = Registry(
            wall=clock.wall,
            new_uid=lambda: str(uuid.uuid4()),
            overrides=settings.overrides,
            external_port=settings.port,
            external_tls_port=settings.tls_port,
        )
    except ConfigInvalid as exc:
        raise InvalidInput(f"--set cannot be used: {exc}") from exc
    lay_foundation(registry)
    controller = Controller(registry, RECONCILERS, clock, _unheard)
    return registry, Applier(registry, controller.settle, clock, _unheard)


def _unheard(fact: Fact) -> None:
    """Nothing runs of which somebody would want to hear."""


def _need(maker: Maker, needing: Sequence[Resource]) -> str:
    if not needing:
        return _KINDS[maker.extra]
    verb = "needs" if len(needing) == 1 else "need"
    return f"{_names(needing)} {verb} it"


def _names(resources: Sequence[Resource]) -> str:
    names = [_name(each) for each in resources[:_NAMED]]
    more = len(resources) - len(names)
    if more:
        return f"{', '.join(names)} and {more} more"
    return " and ".join(names)


def _name(resource: Resource) -> str:
    return f"{resource.kind} {resource.namespace}/{resource.name}"


def _addresses(resource: Resource) -> Iterator[_Address]:
    match resource.backing:
        case KafkaBacking(server=server):
            for each in server.bootstrap:
                host, _, port = each.rpartition(":")
                yield _Address("kafka", host.strip("[]"), int(port), each)
        case RabbitmqBacking(server=server):
            yield _Address("rabbitmq", server.host, server.port, server.address)
        case None:
            return


async def _tried(addresses: Iterable[_Address]) -> dict[_Address, str]:
    """Why each takes no connection; "": it takes them."""
    found: dict[_Address, str] = {}

    async def tell(address: _Address) -> None:
        found[address] = await _why_not(address)

    async with anyio.create_task_group() as group:
        for each in addresses:
            group.start_soon(tell, each)
    return {each: found[each] for each in addresses}


async def _why_not(address: _Address) -> str:
    try:
        with anyio.fail_after(CONNECTING):
            stream = await anyio.connect_tcp(address.host, address.port)
    except TimeoutError:
        return f"no answer within {CONNECTING:g} s"
    except OSError as exc:
        cause = exc.__cause__ if isinstance(exc.__cause__, OSError) else exc
        # asyncio has words of its own for what the system says; names that mean nothing have none.
        number = cause.errno or 0
        return os.strerror(number) if number > 0 else (cause.strerror or str(cause))
    await stream.aclose()
    return ""
