"""``kubectl describe`` tells what happened (Kubernetes Events; clients-api reference, Part 4)."""

from knlite.kinds.core.event import Event
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from tests.flows.cell import Cell, on_virtual_time, opened


def story(cell: Cell, kind: str, name: str | None = None) -> list[str]:
    """Reasons and messages of what happened to objects of *kind*, in their order."""
    events = sorted(
        cell.registry.view.listed(Event, "default"),
        key=lambda event: int(event.metadata.resource_version),
    )
    return [
        f"{event.reason}: {event.message}"
        for event in events
        if event.involved_object.kind == kind and name in {None, event.involved_object.name}
    ]


@on_virtual_time
async def test_a_service_tells_its_story_from_its_children_to_zero() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(150.0)
        assert cell.running() == 0
        told = story(cell, "Service")
        begin = [
            'Created: Created Configuration "web"',
            'Created: Created Route "web"',
            'Created: Created Revision "web-00001"',
            'ScaledUp: Scaled "web-00001" from 0 to 1: initial-scale',
        ]
        assert sorted(told[:4]) == sorted(begin)
        assert [line.partition(":")[0] for line in told[4:]] == [
            "InstanceReady",
            "Ready",
            "ScaledDown",
        ]
        assert "ConfigurationReady: Configuration becomes ready" in story(cell, "Configuration")
        assert 'Created: Created Ingress "web"' in story(cell, "Route")
        assert "ScalingReplicaSet: Scaled up to 1 from 0" in story(cell, "Deployment")
        assert [line.partition(":")[0] for line in story(cell, "Pod")] == [
            "Created",
            "Started",
            "Ready",
            "Killing",
        ]


@on_virtual_time
async def test_every_event_names_the_object_as_describe_asks_for_it() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(3.0)
        service = cell.registry.view.get(Service, "default", "web")
        assert service is not None
        events = cell.registry.view.listed(Event, "default")
        assert events
        assert all(event.involved_object.uid for event in events)
        mine = [e for e in events if e.involved_object.uid == service.metadata.uid]
        assert {e.involved_object.api_version for e in mine} == {"serving.knative.dev/v1"}
        assert {e.source.component for e in mine} >= {"service-controller", "autoscaler"}
        assert {e.type for e in mine} == {"Normal"}


@on_virtual_time
async def test_an_instance_that_crashes_is_a_warning_that_is_counted() -> None:
    async with opened({"bad": Script(booting=5.0, lives=0.1, code=3)}) as cell:
        cell.service(image="bad")
        await cell.advance(60.0)
        events = [e for e in cell.registry.view.listed(Event, "default") if e.type == "Warning"]
        pods = [e for e in events if e.involved_object.kind == "Pod" and e.reason == "Failed"]
        assert len(pods) == 1
        assert pods[0].count > 1
        assert pods[0].last_timestamp != pods[0].first_timestamp
        assert "exit code 3" in pods[0].message
        assert any(e.involved_object.kind == "Service" for e in events)


@on_virtual_time
async def test_a_watch_of_events_is_told_of_each() -> None:
    async with opened() as cell:
        watch = cell.registry.watch(Event, "default")
        cell.service()
        await cell.advance(3.0)
        told = [event for event in watch.available() if isinstance(event.obj, Event)]
        assert 'Created Configuration "web"' in {e.obj.message for e in told}
        versions = [int(e.obj.metadata.resource_version) for e in told]
        assert versions == sorted(versions)
        cell.registry.delete(Key(Service, "default", "web"))
