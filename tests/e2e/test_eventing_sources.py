"""Sources, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (ApiServerSource, ContainerSource, PingSource, SinkBinding, smoke
tests). Upstream watches Pods that it makes; here they are those of Deployments.
``docs/conformance.md`` says which test here stands for which there.
"""

import json
from typing import Any

import pytest

from tests.e2e.eventspace import HEARTBEAT, Space, heartbeats, ref
from tests.e2e.executable import wait_until
from tests.e2e.recorder import Sink, drops_first

pytestmark = pytest.mark.e2e

NAMES = (
    "customname",
    "name-with-dash",
    "name1with2numbers3",
    "name63-0123456789012345678901234567890123456789012345678901234",
)
LONG = "name63-01234567890123456789012345678901234567890123456789012345"
PING = "dev.knative.sources.ping"
EVERY_SECOND = "* * * * * *"
SINK = {"uri": "http://sink.test"}
LABELS = {"e2e": "testing"}
PODS: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}
CONFIG_MAPS: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap"}


def deployment(space: Space, name: str, **labels: str) -> None:
    """Make a Deployment of one Pod that has *labels*."""
    template = {
        "metadata": {
            "labels": {"app": name, **labels},
            "annotations": {"knlite.dev/command": "sleep 600"},
        },
        "spec": {"containers": [{"name": "sleep", "image": "example.com/sleep"}]},
    }
    space.make(
        "Deployment", name, {"selector": {"matchLabels": {"app": name}}, "template": template}
    )


def api_source(space: Space, sink: Sink | dict[str, Any], *resources: Any, **spec: Any) -> str:
    """An ApiServerSource that is ready."""
    target = {"uri": sink.url} if isinstance(sink, Sink) else sink
    spec = {"serviceAccountName": "default", "resources": list(resources), "sink": target, **spec}
    return space.made("ApiServerSource", "changes", spec)


def names(sink: Sink, event_type: str) -> set[str]:
    """The names of the objects that events of that type are about."""
    return {json.loads(each.event.data)["name"] for each in sink.of_type(event_type)}


ADDED, UPDATED = "dev.knative.apiserver.ref.add", "dev.knative.apiserver.ref.update"
RESOURCE_ADDED = "dev.knative.apiserver.resource.add"
RESOURCE_UPDATED = "dev.knative.apiserver.resource.update"
DENIED = (
    'admission webhook "validation.webhook.eventing.knative.dev" denied the request: '
    "validation failed: invalid value: Unknown: spec.mode"
)


def test_an_invalid_api_server_source_is_refused(space: Space) -> None:
    spec = {"mode": "Unknown", "resources": [{"apiVersion": "v1", "kind": "Event"}], "sink": SINK}
    assert DENIED in space.post("ApiServerSource", "bad", spec).json()["message"]
    name = api_source(space, SINK, {"apiVersion": "v1", "kind": "Event"})
    refused = space.patch("ApiServerSource", name, {"spec": {"mode": "Unknown"}})
    assert DENIED in refused.json()["message"]


def changed(space: Space, name: str) -> None:
    """Make a ConfigMap and change it."""
    space.make("ConfigMap", name, labels=LABELS)
    assert space.patch("ConfigMap", name, {"data": {"a": "b"}}).status_code == 200


def test_changes_go_to_a_sink_by_its_reference(space: Space) -> None:
    sink, channel = space.sink(), space.channel()
    space.subscription(channel, sink)
    api_source(space, ref("InMemoryChannel", channel), CONFIG_MAPS, mode="Resource")
    changed(space, "seen")
    got = sink.until_type(RESOURCE_UPDATED)
    assert json.loads(got.event.data)["metadata"]["name"] == "seen"


def test_changes_go_to_a_sink_by_its_url(space: Space) -> None:
    sink = space.sink()
    api_source(space, sink, CONFIG_MAPS, mode="Resource")
    changed(space, "seen")
    sink.until_type(RESOURCE_UPDATED)


def test_changes_go_through_a_broker_and_their_types_are_known(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    name = api_source(space, ref("Broker", broker), CONFIG_MAPS, mode="Reference")
    changed(space, "seen")
    sink.until_type(UPDATED)
    status = space.object("ApiServerSource", name)["status"]
    offered = {each["type"] for each in status["ceAttributes"]}
    known = {each["spec"]["type"] for each in space.objects("EventType")}
    assert offered == {f"dev.knative.apiserver.ref.{verb}" for verb in ("add", "update", "delete")}
    wait_until(
        lambda: known | {each["spec"]["type"] for each in space.objects("EventType")} >= offered,
        "the EventTypes",
    )
    for each in space.objects("EventType"):
        reference = each["spec"]["reference"]
        assert (reference["kind"], reference["name"]) == ("Broker", broker)


@pytest.mark.parametrize("mode", ["Reference", "Resource"])
def test_the_mode_says_what_events_hold(space: Space, mode: str) -> None:
    sink = space.sink()
    api_source(space, sink, PODS, mode=mode)
    deployment(space, "example")
    got = sink.until_type(ADDED if mode == "Reference" else RESOURCE_ADDED)
    data = json.loads(got.event.data)
    assert (data["kind"], data["apiVersion"]) == ("Pod", "v1")
    assert got.event.attributes["apiversion"] == "v1"
    assert got.event.attributes["kind"] == "Pod"
    if mode == "Reference":
        assert set(data) == {"kind", "apiVersion", "namespace", "name"}
        assert data["name"].startswith("example-")
    else:
        assert data["metadata"]["name"].startswith("example-")
        assert data["spec"]["containers"][0]["name"] == "sleep"


def test_all_objects_of_a_kind_are_watched(space: Space) -> None:
    sink = space.sink()
    api_source(space, sink, PODS)
    for name in ("one", "two"):
        deployment(space, name)
    wait_until(lambda: len(names(sink, ADDED)) == 2, "both Pods")


SELECTORS: dict[str, dict[str, Any]] = {
    "labels": {"matchLabels": LABELS},
    "expressions": {"matchExpressions": [{"key": "e2e", "operator": "In", "values": ["testing"]}]},
}


@pytest.mark.parametrize("selector", SELECTORS)
def test_objects_are_selected_by_their_labels(space: Space, selector: str) -> None:
    sink = space.sink()
    api_source(space, sink, {**PODS, "selector": SELECTORS[selector]})
    deployment(space, "without")
    deployment(space, "wanted", **LABELS)
    wait_until(lambda: names(sink, UPDATED), "a change of the Pod")
    assert all(name.startswith("wanted-") for name in names(sink, ADDED) | names(sink, UPDATED))


def test_an_event_that_is_not_taken_is_sent_again(space: Space) -> None:
    sink = space.sink(drops_first(1, 429))
    api_source(space, sink, CONFIG_MAPS)
    space.make("ConfigMap", "once")
    got = sink.until_type(ADDED)
    assert [each.event.id for each in sink.received] == [got.event.id] * 2


@pytest.mark.parametrize("empty", [False, True], ids=["by labels", "all"])
def test_namespaces_are_selected(space: Space, other_space: Space, *, empty: bool) -> None:
    sink, label = space.sink(), {f"env-{space.namespace}": "test"}
    labelled = space.knlite.admin.patch(
        f"/api/v1/namespaces/{other_space.namespace}",
        content=json.dumps({"metadata": {"labels": label}}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert labelled.status_code == 200
    selector: dict[str, Any] = {} if empty else {"matchLabels": label}
    api_source(
        space,
        sink,
        {"apiVersion": "sources.knative.dev/v1", "kind": "PingSource"},
        namespaceSelector=selector,
    )
    for each in (space, other_space):
        each.make("PingSource", f"in-{each.namespace}", {"schedule": "0 0 1 1 *", "sink": SINK})
    wanted = {f"in-{other_space.namespace}"} | ({f"in-{space.namespace}"} if empty else set())
    wait_until(lambda: names(sink, ADDED) >= wanted, "the PingSources")
    assert names(sink, ADDED) == wanted


def test_changes_are_filtered(space: Space) -> None:
    sink = space.sink()
    space.enable("new-apiserversource-filters")
    filters = [{"exact": {"type": RESOURCE_UPDATED}}]
    api_source(space, sink, PODS, mode="Resource", filters=filters)
    deployment(space, "example")
    sink.until_type(RESOURCE_UPDATED)
    assert {each.event.type for each in sink.received} == {RESOURCE_UPDATED}


def test_sources_of_many_names_go_ready(space: Space) -> None:
    resources = [{"apiVersion": "v1", "kind": "Event"}]
    spec = {"serviceAccountName": "default", "resources": resources, "sink": SINK}
    for name in NAMES:
        space.make("ApiServerSource", name, spec)
        space.make("ContainerSource", name, {"template": heartbeats(), "sink": SINK})
    for name in NAMES:
        space.until_ready("ApiServerSource", name)
        space.until_ready("ContainerSource", name)


PAYLOADS: dict[str, dict[str, str]] = {
    "none": {},
    "json": {"contentType": "application/json", "data": '{"hello":"world"}'},
    "text": {"contentType": "text/plain", "data": "hello, world!"},
    "json in base64": {"contentType": "application/json", "dataBase64": "eyJoZWxsbyI6IndvcmxkIn0="},
    "text in base64": {"contentType": "text/plain", "dataBase64": "aGVsbG8sIHdvcmxkIQ=="},
}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_ping_sources_of_many_names_go_ready(space: Space, payload: str) -> None:
    for name in NAMES:
        space.make("PingSource", name, {**PAYLOADS[payload], "sink": SINK})
    for name in NAMES:
        space.until_ready("PingSource", name)
        assert space.object("PingSource", name)["spec"]["schedule"] == "* * * * *"


def test_a_ping_source_sends_to_a_reference(space: Space) -> None:
    sink, channel = space.sink(), space.channel()
    space.subscription(channel, sink)
    spec = {"schedule": EVERY_SECOND, "sink": ref("InMemoryChannel", channel)}
    space.made("PingSource", "ping", spec)
    assert sink.until_type(PING).headers["kn-namespace"] == space.namespace


def test_a_ping_source_sends_to_a_url(space: Space) -> None:
    sink = space.sink()
    space.made("PingSource", "ping", {"schedule": EVERY_SECOND, "sink": {"uri": sink.url}})
    got = sink.until_type(PING)
    assert got.event.source == f"/apis/v1/namespaces/{space.namespace}/pingsources/ping"
    assert got.headers["kn-namespace"] == space.namespace


def test_a_ping_source_sends_data_in_base64(space: Space) -> None:
    sink = space.sink()
    spec = {**PAYLOADS["text in base64"], "schedule": EVERY_SECOND, "sink": {"uri": sink.url}}
    space.made("PingSource", "ping", spec)
    got = sink.until_type(PING).event
    assert (got.data, got.attributes["datacontenttype"]) == (b"hello, world!", "text/plain")


def test_a_schedule_may_have_seconds(space: Space) -> None:
    sink = space.sink()
    space.made("PingSource", "later", {"schedule": "10 0/1 * * * ?", "sink": SINK})
    space.made("PingSource", "ping", {"schedule": "0/1 * * * * ?", "sink": {"uri": sink.url}})
    sink.until_type(PING)


def test_the_types_of_a_ping_source_are_known(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    spec = {"schedule": EVERY_SECOND, **PAYLOADS["text"], "sink": ref("Broker", broker)}
    space.made("PingSource", "ping", spec)
    sink.until_type(PING)
    (known,) = wait_until(lambda: space.objects("EventType"), "an EventType")
    assert known["spec"]["type"] == PING
    assert (known["spec"]["reference"]["kind"], known["spec"]["reference"]["name"]) == (
        "Broker",
        broker,
    )
    space.until_ready("EventType", known["metadata"]["name"])


def test_a_container_source_sends_to_a_reference(space: Space) -> None:
    sink, channel = space.sink(), space.channel()
    space.subscription(channel, sink)
    target = ref("InMemoryChannel", channel)
    space.made("ContainerSource", "beats", {"template": heartbeats(), "sink": target})
    sink.until_type(HEARTBEAT)


def test_a_container_source_sends_to_a_url_with_overrides_and_arguments(space: Space) -> None:
    sink = space.sink()
    template = heartbeats("--msg=a message for the test")
    template["metadata"]["annotations"]["foo"] = "true"
    spec = {
        "template": template,
        "sink": {"uri": sink.url},
        "ceOverrides": {"extensions": {"wow": "so extended"}},
    }
    space.made("ContainerSource", "beats", spec)
    got = sink.until_type(HEARTBEAT).event
    assert got.attributes["wow"] == "so extended"
    assert json.loads(got.data)["msg"] == "a message for the test"


def bound(space: Space, name: str, subject: dict[str, Any], sink: Sink) -> None:
    """A SinkBinding that is ready."""
    overrides = {"extensions": {"sinkbinding": f"secret-of-{name}"}}
    spec = {"subject": subject, "sink": {"uri": sink.url}, "ceOverrides": overrides}
    space.made("SinkBinding", name, spec)


def test_a_bound_deployment_sends_events(space: Space) -> None:
    sink, template = space.sink(), heartbeats()
    template["metadata"]["labels"] = {"app": "subject"}
    selector = {"matchLabels": {"app": "subject"}}
    space.make("Deployment", "subject", {"selector": selector, "template": template})
    subject = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "subject"}
    bound(space, "binding", subject, sink)
    (got, *_) = sink.until()
    assert got.event.attributes["sinkbinding"] == "secret-of-binding"


def test_jobs_of_a_cron_job_are_bound_by_their_labels(space: Space) -> None:
    sink = space.sink()
    template = heartbeats(env=[{"name": "ONE_SHOT", "value": "true"}])
    template["spec"]["restartPolicy"] = "Never"
    labels = {"app": "subject", "bindings.knative.dev/include": "true"}
    job = {"metadata": {"labels": labels}, "spec": {"template": template}}
    space.make("CronJob", "subject", {"schedule": "* * * * *", "jobTemplate": job})
    subject = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "selector": {"matchLabels": {"app": "subject"}},
    }
    bound(space, "binding", subject, sink)
    # As the schedule does once a minute.
    space.make("Job", "of-the-cron-job", job["spec"], labels=labels)
    (got, *_) = sink.until()
    assert got.event.attributes["sinkbinding"] == "secret-of-binding"


def test_sink_bindings_of_many_names_go_ready(space: Space) -> None:
    deployment(space, "subject")
    subject = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "subject"}
    for name in (*NAMES[:3], LONG):
        space.make("SinkBinding", name, {"subject": subject, "sink": SINK})
    for name in (*NAMES[:3], LONG):
        space.until_ready("SinkBinding", name)
