"""A namespace of a shared run: objects of Eventing by their kinds, and events sent to them."""

import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.engines import MEMORY, Kept
from tests.e2e.executable import PATIENCE, Knlite, wait_until
from tests.e2e.recorder import STRUCTURED, Event, Recorder, Script, Sink, takes

EVENTING, MESSAGING = "eventing.knative.dev/v1", "messaging.knative.dev/v1"
FLOWS, SOURCES = "flows.knative.dev/v1", "sources.knative.dev/v1"
API_VERSIONS = {
    "Broker": EVENTING,
    "Trigger": EVENTING,
    "EventTransform": "eventing.knative.dev/v1alpha1",
    "EventType": "eventing.knative.dev/v1beta2",
    "Channel": MESSAGING,
    "InMemoryChannel": MESSAGING,
    "Subscription": MESSAGING,
    "Sequence": FLOWS,
    "Parallel": FLOWS,
    "PingSource": SOURCES,
    "ApiServerSource": SOURCES,
    "ContainerSource": SOURCES,
    "SinkBinding": SOURCES,
    "JobSink": "sinks.knative.dev/v1alpha1",
    "KafkaChannel": "messaging.knative.dev/v1beta1",
    "KafkaSink": "eventing.knative.dev/v1alpha1",
    "KafkaSource": SOURCES,
    "RabbitmqBrokerConfig": "eventing.knative.dev/v1alpha1",
    "RabbitmqSource": "sources.knative.dev/v1alpha1",
    "Service": "serving.knative.dev/v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "ServiceAccount": "v1",
}
HEARTBEATS = Path(__file__).parent / "services" / "heartbeats" / "app.py"
HEARTBEAT = "dev.knative.eventing.samples.heartbeat"
BROKER_CLASS = "eventing.knative.dev/broker.class"
MERGE = {"Content-Type": "application/merge-patch+json"}
NAMES = (
    "default",
    "customname",
    "name-with-dash",
    "name1with2numbers3",
    "name63-01234567890123456789012345678901234567890123456789012345",
)
"""Names that Brokers and Triggers may have."""
TYPE, SOURCE = "type1", "http://source1.com"

_numbers = count(1)


def event(
    event_type: str = TYPE,
    source: str = SOURCE,
    data: bytes = b'{"msg":"hello"}',
    **attributes: str,
) -> Event:
    """One with an id of its own."""
    named = {
        "specversion": "1.0",
        "id": f"event-{next(_numbers)}",
        "type": event_type,
        "source": source,
        "datacontenttype": "application/json",
    }
    return Event({**named, **attributes}, data)


def full_event(**attributes: str) -> Event:
    """One with all attributes there are, and extensions of every type."""
    return event(
        "com.example.FullEvent",
        "http://example.com/source",
        b'"hello"',
        subject="topic",
        time="2020-03-21T12:34:56.78Z",
        dataschema="http://example.com/schema",
        exbool="true",
        exint="42",
        exstring="exstring",
        exbinary="AAECAw==",
        exurl="http://example.com/source",
        extime="2020-03-21T12:34:56.78Z",
        **attributes,
    )


def ref(kind: str, name: str) -> dict[str, Any]:
    """A Destination that refers to an object."""
    return {"ref": {"apiVersion": API_VERSIONS[kind], "kind": kind, "name": name}}


def heartbeats(*words: str, **more: Any) -> dict[str, Any]:
    """A Pod template whose program sends an event now and then; *words* are its arguments."""
    container: dict[str, Any] = {"name": "heartbeats", "image": "example.com/heartbeats", **more}
    if words:
        container["args"] = list(words)
    command = shlex.join((sys.executable, str(HEARTBEATS)))
    return {
        "metadata": {"annotations": {"knlite.dev/command": command}},
        "spec": {"containers": [container]},
    }


def attributes(**wanted: str) -> dict[str, Any]:
    """Of a Trigger's spec, a filter by attributes."""
    return {"filter": {"attributes": wanted}}


def to(sink: Sink | dict[str, Any] | str) -> dict[str, Any]:
    """A Destination: of a sink, of a URL, or as it is."""
    if isinstance(sink, Sink):
        return {"uri": sink.url}
    return {"uri": sink} if isinstance(sink, str) else sink


@dataclass
class Space:
    """A namespace, and the sinks whose events come from it."""

    knlite: Knlite
    recorder: Recorder
    namespace: str
    kept: Kept = MEMORY
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def sink(self, script: Script = takes) -> Sink:
        """One that records."""
        return self.recorder.sink(script)

    def path(self, kind: str, name: str = "") -> str:
        """Where an object, or all of its kind, are in the API."""
        version = API_VERSIONS[kind]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural = kind.lower() + "s"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def post(self, kind: str, name: str, spec: Any = None, **more: Any) -> httpx.Response:
        """What creating an object is answered; *more* are annotations, labels, other members."""
        metadata = {"name": name} | {
            member: more.pop(member) for member in ("annotations", "labels") if member in more
        }
        document = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, **more}
        if spec is not None:
            document["spec"] = spec
        return self.knlite.admin.post(self.path(kind), json=document)

    def make(self, kind: str, name: str, spec: Any = None, **more: Any) -> str:
        """Create an object; returns its name."""
        answer = self.post(kind, name, spec, **more)
        assert answer.status_code == 201, answer.text
        return name

    def made(self, kind: str, name: str, spec: Any = None, **more: Any) -> str:
        """Create an object and wait until it is ready."""
        self.make(kind, name, spec, **more)
        self.until_ready(kind, name)
        return name

    def name(self, kind: str) -> str:
        """A name that nothing else here has."""
        return f"{kind.lower()}-{next(self._names)}"

    def broker(self, name: str = "", annotations: Any = None, **spec: Any) -> str:
        """A Broker that is ready, on the engine of the test."""
        name = self.make_broker(name, annotations, **spec)
        self.until_ready("Broker", name)
        return name

    def make_broker(self, name: str = "", annotations: Any = None, **spec: Any) -> str:
        """A Broker on the engine of the test."""
        name = name or self.name("Broker")
        if self.kept.config:
            spec["config"] = self._config()
        annotations = {BROKER_CLASS: self.kept.broker_class, **(annotations or {})}
        return self.make("Broker", name, spec or None, annotations=annotations)

    def _config(self) -> dict[str, str]:
        kind, name = self.kept.config_kind, "where-events-are-kept"
        if self.knlite.admin.get(self.path(kind, name)).status_code != 200:
            self.make(kind, name, data=dict(self.kept.config))
        return {"apiVersion": "v1", "kind": kind, "name": name, "namespace": self.namespace}

    def trigger(self, broker: str, subscriber: Sink | dict[str, Any] | str, **spec: Any) -> str:
        """A Trigger that is ready."""
        name = spec.pop("name", "") or self.name("Trigger")
        annotations = spec.pop("annotations", {})
        spec = {"broker": broker, "subscriber": to(subscriber), **spec}
        return self.made("Trigger", name, spec, annotations=annotations)

    def channel(self, kind: str = "InMemoryChannel", **spec: Any) -> str:
        """A channel that is ready."""
        annotations = spec.pop("annotations", {})
        return self.made(kind, self.name("Channel"), spec or None, annotations=annotations)

    def subscription(
        self, channel: str, subscriber: Sink | dict[str, Any] | str | None, **spec: Any
    ) -> str:
        """A Subscription that is ready."""
        kind = spec.pop("kind", "InMemoryChannel")
        spec["channel"] = ref(kind, channel)["ref"]
        if subscriber is not None:
            spec["subscriber"] = to(subscriber)
        return self.made("Subscription", self.name("Subscription"), spec)

    def object(self, kind: str, name: str) -> dict[str, Any]:
        """An object as it is."""
        return self.knlite.object(self.path(kind, name))

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind."""
        return list(self.knlite.object(self.path(kind))["items"])

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> httpx.Response:
        """What a merge patch is answered."""
        body = json.dumps(patch)
        return self.knlite.admin.patch(self.path(kind, name), content=body, headers=MERGE)

    def enable(self, flag: str) -> None:
        """Enable a feature of Eventing, for all namespaces of the run."""
        answer = self.knlite.admin.patch(
            "/api/v1/namespaces/knative-eventing/configmaps/config-features",
            content=json.dumps({"data": {flag: "enabled"}}),
            headers=MERGE,
        )
        assert answer.status_code == 200, answer.text

    def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        assert self.knlite.admin.delete(self.path(kind, name)).status_code == 200

    def ready(self, kind: str, name: str) -> dict[str, Any]:
        """The Ready condition of an object."""
        return self.knlite.ready(self.path(kind, name))

    def condition(self, kind: str, name: str, of: str) -> dict[str, Any]:
        """A condition of an object; empty when it has none of that type."""
        answer = self.knlite.admin.get(self.path(kind, name))
        if answer.status_code != 200:
            return {}
        conditions = answer.json().get("status", {}).get("conditions", ())
        return next((each for each in conditions if each["type"] == of), {})

    def until_condition(
        self, kind: str, name: str, of: str, status: str = "False"
    ) -> dict[str, Any]:
        """Wait until a condition of an object has that status."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.condition(kind, name, of)).get("status") != status:
            if time.monotonic() > deadline:
                pytest.fail(f"{of} of {kind} {name} is not {status}: {found}")
            time.sleep(0.02)
        return found

    def until_ready(self, kind: str, name: str, status: str = "True") -> dict[str, Any]:
        """Wait for a status of the Ready condition that speaks of the newest generation."""

        def found() -> bool:
            answer = self.knlite.admin.get(self.path(kind, name))
            if answer.status_code != 200:
                return False
            known = answer.json()
            seen = known.get("status", {}).get("observedGeneration")
            current = seen is None or seen == known["metadata"]["generation"]
            return current and self.ready(kind, name).get("status") == status

        wait_until(found, f"{kind} {name} to be ready: {status}")
        return self.ready(kind, name)

    def address(self, kind: str, name: str) -> str:
        """The URL in the status of an object."""
        return str(self.object(kind, name)["status"]["address"]["url"])

    def request(self, url: str, **options: Any) -> httpx.Response:
        """Ask at a name of the cluster, as a Pod would."""
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, **options.pop("headers", {})}
        method = options.pop("method", "POST")
        return self.knlite.http.request(method, parts.path or "/", headers=headers, **options)

    def post_event(self, url: str, sent: Event, **headers: str) -> httpx.Response:
        """What an event in binary mode is answered."""
        return self.request(url, content=sent.data, headers={**sent.binary(), **headers})

    def send(self, kind: str, name: str, sent: Event, *, structured: bool = False) -> Event:
        """Send an event that is taken."""
        url = self.address(kind, name)
        if structured:
            members = {**sent.attributes, "data": json.loads(sent.data)}
            content = json.dumps(members).encode()
            answer = self.request(url, content=content, headers={"content-type": STRUCTURED})
        else:
            answer = self.post_event(url, sent)
        assert answer.status_code == 202, answer.text
        return sent

    def story(self, sent: Event) -> dict[str, Any]:
        """What the event log tells of the newest acceptance of an event."""
        query = {"id": sent.id, "source": sent.source}
        stories = self.knlite.admin.get("/knlite/explain", params=query).json()["stories"]
        return dict(stories[0])

    def quiet(self) -> None:
        """Wait until every event of the namespace has ended, those that came of it too.

        The log reads events before attempts: a delivery that ends in between may have left a reply
        that the same look does not show, so the next one must show nothing else.
        """
        before: list[int] = []

        def ended() -> bool:
            answer = self.knlite.admin.get("/knlite/events", params={"limit": "10000"})
            events = [
                each
                for each in answer.json()["events"]
                if each["to"]["namespace"] == self.namespace
            ]
            if any(each["state"] in ("delivering", "waiting") for each in events):
                before.clear()
                return False
            known = before.copy()
            before[:] = [each["arrival"] for each in events]
            return known == before

        wait_until(ended, f"all events of {self.namespace} to end")


def space_of(knlite: Knlite, recorder: Recorder, kept: Kept = MEMORY) -> Space:
    """A namespace that nobody else has; its Brokers keep their events there."""
    namespace = f"test-{next(_numbers)}"
    made = knlite.admin.post("/api/v1/namespaces", json={"metadata": {"name": namespace}})
    assert made.status_code == 201, made.text
    return Space(knlite, recorder, namespace, kept)
