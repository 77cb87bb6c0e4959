"""Those who decide how many instances there are, and those who keep them.

The one late binding is ``activator.report_to(autoscaler)``, which closes the ring of a cold start:
activator → autoscaler → supervisor → activator.
"""

from typing import NamedTuple

from knlite.controlplane.autoscaler import Autoscaler
from knlite.controlplane.blueprints import make_blueprints
from knlite.controlplane.hpa import HorizontalPodAutoscaler
from knlite.controlplane.idling import Idling
from knlite.controlplane.images import Images
from knlite.controlplane.kubelet import Kubelet
from knlite.controlplane.machine import this_capacity
from knlite.controlplane.podautoscalers import PodAutoscalerWriter
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.preparation import Preparation
from knlite.controlplane.projector import Projector
from knlite.controlplane.resting import Resting
from knlite.controlplane.scaletargets import ScaleTargets
from knlite.controlplane.supervisor import Supervisor
from knlite.controlplane.volumes import VolumeKeeper
from knlite.dataplane.activator import Activator
from knlite.settings import Settings
from knlite.telemetry.metrics import Metrics
from knlite.wiring.basics import Basics


class Scaling(NamedTuple):
    """Who decides how many instances there are, and who keeps them."""

    supervisor: Supervisor
    kubelet: Kubelet
    volumes: VolumeKeeper
    autoscaler: Autoscaler
    hpa: HorizontalPodAutoscaler


def make_scaling(
    basics: Basics,
    activator: Activator,
    projector: Projector,
    images: Images,
    code: Preparation,
    metrics: Metrics,
    settings: Settings,
) -> tuple[Scaling, Resting]:
    """Who decides how many instances there are, and who keeps them; and who brings them to zero."""
    registry, clock, publish = basics.registry, basics.clock, basics.publish
    service_of = projector.service_of
    pods, capacity = PodWriter(registry, basics.reporter, clock.wall), this_capacity()
    memory = capacity.memory // 4 if settings.memory is None else settings.memory
    kubelet = Kubelet(
        registry=registry,
        preparation=code,
        capacity=capacity,
        pods=pods,
        clock=clock,
        publish=publish,
        issuer=basics.issuer,
    )
    supervisor = Supervisor(
        blueprints=make_blueprints(registry, images, capacity, basics.issuer),
        service_of=service_of,
        pods=pods,
        clock=clock,
        publish=publish,
        draw=basics.draw,
        idling=Idling(registry, clock, publish, memory),
    )
    volumes = VolumeKeeper(registry, supervisor, basics.issuer, clock.wall, publish)
    standings = PodAutoscalerWriter(registry, basics.reporter, clock)
    targets = ScaleTargets(supervisor, service_of, clock, publish)
    autoscaler = Autoscaler(registry, supervisor, targets, standings, clock)
    hpa = HorizontalPodAutoscaler(registry, supervisor, targets, standings, clock)
    supervisor.report_to(activator, autoscaler, hpa)
    activator.report_to(autoscaler)
    targets.report_to(activator)
    metrics.ask(loads=activator.loads, scales=autoscaler.scales)
    resting = Resting(registry, autoscaler, supervisor.counts, activator.loads)
    return Scaling(supervisor, kubelet, volumes, autoscaler, hpa), resting
