"""The graph of the map: every kind, what leads where, what is not there."""

from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from knlite.console.graph.values import Edge, Graph
from knlite.console.graph.whole import graph_of
from knlite.kinds.addressable import Addressable
from knlite.kinds.catalog import read
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import Object
from knlite.kinds.serving.service import Service
from tests.unit.fake_view import FakeView


def objects(text: str) -> list[Object]:
    """The objects of a YAML stream, in the namespace shop, as their author wrote them."""
    found = []
    for tree in yaml.safe_load_all(dedent(text)):
        tree["metadata"].setdefault("namespace", "shop")
        tree["metadata"].setdefault("uid", tree["metadata"]["name"])
        value = read(tree).value
        assert value is not None, read(tree)
        found.append(value)
    return found


def graph(text: str) -> Graph:
    return graph_of(FakeView(*objects(text)))


def ids(drawn: Graph) -> set[str]:
    return {each.id.replace("/shop/", " ") for each in drawn.nodes}


def ways(drawn: Graph, *roles: str) -> set[str]:
    """Every edge as ``source role target``, without the namespace."""
    return {_way(each) for each in drawn.edges if not roles or each.role in roles}


def _way(edge: Edge) -> str:
    return f"{edge.source} -{edge.role}> {edge.target}".replace("/shop/", " ")


def flows(drawn: Graph, role: str) -> set[str]:
    return {
        flow.replace("/shop/", " ")
        for each in drawn.edges
        if each.role == role
        for flow in each.flows
    }


SERVICE = """
    apiVersion: serving.knative.dev/v1
    kind: Service
    metadata: {name: %s}
    spec: {template: {spec: {containers: [{image: example.com/x}]}}}
    ---
"""
KSVC = "{ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: %s}}"
BROKER = """
    apiVersion: eventing.knative.dev/v1
    kind: Broker
    metadata: {name: default}
    spec: %s
    ---
"""
TRIGGER = """
    apiVersion: eventing.knative.dev/v1
    kind: Trigger
    metadata: {name: %s}
    spec: %s
    ---
"""


def many(*documents: str) -> str:
    return "".join(documents).rstrip().removesuffix("---")


def test_a_trigger_stands_between_its_broker_and_its_subscriber() -> None:
    drawn = graph(
        many(
            SERVICE % "till",
            BROKER % "{}",
            TRIGGER
            % (
                "orders",
                "{broker: default, filter: {attributes: {type: a.b, x: ''}}, subscriber: %s}",
            )
            % (KSVC % "till"),
        )
    )
    assert ways(drawn) == {
        "Broker default -subscribes> Trigger orders",
        "Trigger orders -delivers> Service till",
        "Service till -replies> Broker default",
    }
    assert [each.label for each in drawn.edges if each.role == "subscribes"] == [
        "type = a.b and x is there"
    ]
    assert flows(drawn, "subscribes") == {"Trigger orders|in"}
    assert flows(drawn, "delivers") == {"Trigger orders|subscriber"}
    assert flows(drawn, "replies") == {"Trigger orders|reply"}


def test_triggers_inherit_the_dead_letter_sink_of_their_broker_unless_they_name_one() -> None:
    sink = "{delivery: {deadLetterSink: %s}}"
    trigger = "{broker: default, subscriber: %s}" % (KSVC % "till")
    own = trigger.replace("{broker", "{delivery: {deadLetterSink: %s}, broker" % (KSVC % "mine"))
    drawn = graph(
        many(
            *(SERVICE % each for each in ("till", "morgue", "mine")),
            BROKER % (sink % (KSVC % "morgue")),
            TRIGGER % ("a", trigger),
            TRIGGER % ("b", trigger),
            TRIGGER % ("c", own),
        )
    )
    dead = {each.source: each for each in drawn.edges if each.role == "dead-letters"}
    assert dead["Broker/shop/default"].target == "Service/shop/morgue"
    assert dead["Broker/shop/default"].flows == (
        "Trigger/shop/a|dead letter sink",
        "Trigger/shop/b|dead letter sink",
    )
    assert dead["Trigger/shop/c"].target == "Service/shop/mine"


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("http://till.shop.svc.cluster.local/path", "Service/shop/till"),
        ("http://till.shop", "Service/shop/till"),
        (
            "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default",
            "Broker/shop/default",
        ),
        ("http://localhost:8080/ns/shop/services/till/a", "Service/shop/till"),
        ("http://127.0.0.1:9/ns/shop/brokers/default", "Broker/shop/default"),
        ("http://127.0.0.1:9/ns/shop/brokers/gone", "Broker/shop/gone"),
        ("https://example.com/hook", "URI//https://example.com/hook"),
        ("http://[", "URI//http://["),
        ("http://gone.shop.svc.cluster.local", "URI//http://gone.shop.svc.cluster.local"),
    ],
)
def test_a_url_that_something_here_has_leads_to_it(uri: str, where: str) -> None:
    broker, till, trigger = objects(
        many(
            BROKER % "{}",
            SERVICE % "till",
            TRIGGER % ("t", "{broker: default, subscriber: {uri: 'http://x.y'}}"),
        )
    )
    view = FakeView(
        _with_address(
            broker, "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default"
        ),
        _with_address(till, "http://till.shop.svc.cluster.local"),
        _subscribing(trigger, uri),
    )
    drawn = graph_of(view)
    (way,) = [each for each in drawn.edges if each.role == "delivers"]
    assert way.target == where
    (node,) = [each for each in drawn.nodes if each.id == where]
    assert node.missing == ("gone" in where or where.endswith("["))


def test_what_is_named_and_not_there_says_so_in_the_words_of_a_cluster() -> None:
    drawn = graph(
        TRIGGER.rstrip().removesuffix("---") % ("t", "{broker: b, subscriber: %s}" % (KSVC % "s"))
    )
    missing = {each.id: each.message for each in drawn.nodes if each.missing}
    assert missing == {
        "Broker/shop/b": 'brokers.eventing.knative.dev "b" not found',
        "Service/shop/s": 'services.serving.knative.dev "s" not found',
    }


def test_sources_bindings_and_bound_workloads() -> None:
    sink = "{ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}"
    drawn = graph(
        f"""
    apiVersion: sources.knative.dev/v1
    kind: PingSource
    metadata: {{name: tick}}
    spec: {{schedule: '* * * * *', sink: {sink}}}
    ---
    apiVersion: sources.knative.dev/v1
    kind: ApiServerSource
    metadata: {{name: watcher}}
    spec: {{resources: [{{apiVersion: v1, kind: Event}}], sink: {sink}}}
    ---
    apiVersion: sources.knative.dev/v1
    kind: ContainerSource
    metadata: {{name: beat}}
    spec: {{template: {{spec: {{containers: [{{image: x}}]}}}}, sink: {sink}}}
    ---
    apiVersion: sources.knative.dev/v1
    kind: SinkBinding
    metadata: {{name: bind}}
    spec:
      subject: {{apiVersion: serving.knative.dev/v1, kind: Service, name: web}}
      sink: {sink}
    ---
    {SERVICE % "web"}
    {(BROKER % "{}").rstrip().removesuffix("---")}
    """
    )
    assert ways(drawn) == {
        "PingSource tick -sends> Broker default",
        "ApiServerSource watcher -sends> Broker default",
        "ContainerSource beat -sends> Broker default",
        "Service web -binds> SinkBinding bind",
        "SinkBinding bind -sends> Broker default",
    }
    assert flows(drawn, "sends") == {
        "PingSource tick|sends",
        "ApiServerSource watcher|sends",
        "Broker default|in:",
    }
    assert {each.detail for each in drawn.nodes if each.kind == "PingSource"} == {"* * * * *"}


def test_channels_subscriptions_and_what_people_write_into_them() -> None:
    drawn = graph(
        f"""
    apiVersion: messaging.knative.dev/v1
    kind: InMemoryChannel
    metadata: {{name: pipe}}
    spec:
      delivery: {{deadLetterSink: {KSVC % "morgue"}}}
      subscribers: [{{name: hand, uid: h, subscriberUri: 'https://example.com'}}]
    ---
    apiVersion: messaging.knative.dev/v1
    kind: Subscription
    metadata: {{name: sub}}
    spec:
      channel: {{apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, name: pipe}}
      subscriber: {KSVC % "till"}
      reply: {KSVC % "log"}
    """
    )
    assert ways(drawn) == {
        "InMemoryChannel pipe -subscribes> Subscription sub",
        "Subscription sub -delivers> Service till",
        "Service till -replies> Service log",
        "InMemoryChannel pipe -delivers> URI//https://example.com",
        "InMemoryChannel pipe -dead-letters> Service morgue",
    }
    assert flows(drawn, "dead-letters") == {"Subscription sub|dead letter sink"}


def test_flows_are_drawn_as_their_steps_and_branches() -> None:
    drawn = graph(
        f"""
    apiVersion: flows.knative.dev/v1
    kind: Sequence
    metadata: {{name: words}}
    spec: {{steps: [{KSVC % "one"}, {KSVC % "two"}], reply: {KSVC % "out"}}}
    ---
    apiVersion: flows.knative.dev/v1
    kind: Parallel
    metadata: {{name: fork}}
    spec:
      branches:
        - {{filter: {KSVC % "ask"}, subscriber: {KSVC % "left"}}}
        - {{subscriber: {KSVC % "right"}, reply: {KSVC % "out"}}}
    """
    )
    assert ways(drawn) == {
        "Sequence words -delivers> Service one",
        "Service one -delivers> Service two",
        "Service two -replies> Service out",
        "Parallel fork -delivers> Service ask",
        "Service ask -delivers> Service left",
        "Parallel fork -delivers> Service right",
        "Service right -replies> Service out",
    }
    assert "Subscription words-kn-sequence-1|subscriber" in flows(drawn, "delivers")
    inboxes = {each.id: each.inbox for each in drawn.nodes}
    assert inboxes["Sequence/shop/words"] == "InMemoryChannel/shop/words-kn-sequence-0"
    assert inboxes["Parallel/shop/fork"] == "InMemoryChannel/shop/fork-kn-parallel"


def test_what_an_object_has_made_for_itself_is_part_of_it() -> None:
    drawn = graph(
        """
    apiVersion: messaging.knative.dev/v1
    kind: Channel
    metadata: {name: pipe, uid: u1}
    ---
    apiVersion: messaging.knative.dev/v1
    kind: InMemoryChannel
    metadata:
      name: pipe
      ownerReferences:
        - apiVersion: messaging.knative.dev/v1
          kind: Channel
          name: pipe
          uid: u1
          controller: true
    """
    )
    assert ids(drawn) == {"Channel pipe"}
    assert drawn.nodes[0].inbox == "InMemoryChannel/shop/pipe"


def test_sources_on_servers_lead_to_their_sinks_and_dead_letters() -> None:
    drawn = graph(
        f"""
    apiVersion: sources.knative.dev/v1
    kind: KafkaSource
    metadata: {{name: records}}
    spec:
      bootstrapServers: [kafka:9092]
      topics: [a, b]
      delivery: {{deadLetterSink: {KSVC % "morgue"}}}
      sink: {KSVC % "till"}
    ---
    apiVersion: sources.knative.dev/v1alpha1
    kind: RabbitmqSource
    metadata: {{name: messages}}
    spec:
      rabbitmqResourcesConfig: {{queueName: q}}
      sink: {KSVC % "till"}
    """
    )
    assert ways(drawn) == {
        "KafkaSource records -sends> Service till",
        "KafkaSource records -dead-letters> Service morgue",
        "RabbitmqSource messages -sends> Service till",
    }
    assert flows(drawn, "sends") == {
        "KafkaSource records|subscriber",
        "RabbitmqSource messages|subscriber",
    }
    details = {each.kind: each.detail for each in drawn.nodes if each.role == "source"}
    assert details == {"KafkaSource": "a, b", "RabbitmqSource": "q"}


def test_sinks_and_transformations_are_reached_by_references() -> None:
    references = (
        ("sinks.knative.dev/v1alpha1", "JobSink"),
        ("eventing.knative.dev/v1alpha1", "KafkaSink"),
        ("eventing.knative.dev/v1alpha1", "EventTransform"),
        ("v1", "Service"),
    )
    pings = [
        f"""
    apiVersion: sources.knative.dev/v1
    kind: PingSource
    metadata: {{name: ping-{index}}}
    spec: {{sink: {{ref: {{apiVersion: {version}, kind: {kind}, name: x}}}}}}
    ---
    """
        for index, (version, kind) in enumerate(references)
    ]
    sinks = f"""
    apiVersion: sinks.knative.dev/v1alpha1
    kind: JobSink
    metadata: {{name: x}}
    spec: {{job: {{spec: {{template: {{spec: {{containers: [{{name: a, image: b}}]}}}}}}}}}}
    ---
    apiVersion: eventing.knative.dev/v1alpha1
    kind: KafkaSink
    metadata: {{name: x}}
    spec: {{topic: orders, bootstrapServers: [kafka:9092]}}
    ---
    apiVersion: eventing.knative.dev/v1alpha1
    kind: EventTransform
    metadata: {{name: x}}
    spec: {{jsonata: {{expression: a}}, sink: {KSVC % "till"}}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: x}}
    spec: {{ports: [{{port: 80}}]}}
    """
    drawn = graph("".join(pings) + sinks)
    assert ways(drawn) == {
        "PingSource ping-0 -sends> JobSink x",
        "PingSource ping-1 -sends> KafkaSink x",
        "PingSource ping-2 -sends> EventTransform x",
        "PingSource ping-3 -sends> KubernetesService x",
        "EventTransform x -sends> Service till",
    }
    roles = {each.kind: each.role for each in drawn.nodes}
    assert (roles["JobSink"], roles["KafkaSink"], roles["EventTransform"]) == (
        "sink",
        "sink",
        "flow",
    )


def test_a_request_reply_sends_to_its_broker_and_hears_of_replies_by_a_trigger_of_its_own() -> None:
    drawn = graph(
        """
    apiVersion: eventing.knative.dev/v1
    kind: Broker
    metadata: {name: default}
    ---
    apiVersion: eventing.knative.dev/v1alpha1
    kind: RequestReply
    metadata: {name: ask, uid: u1}
    spec:
      brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}
      correlationAttribute: correlationid
      replyAttribute: replyid
    ---
    apiVersion: eventing.knative.dev/v1
    kind: Trigger
    metadata:
      name: ask-0-1
      ownerReferences:
        - apiVersion: eventing.knative.dev/v1alpha1
          kind: RequestReply
          name: ask
          uid: u1
          controller: true
    spec: {broker: default, subscriber: {uri: "http://x.y"}}
    """
    )
    assert ways(drawn) == {
        "RequestReply ask -sends> Broker default",
        "Broker default -delivers> RequestReply ask",
    }
    assert flows(drawn, "delivers") == {"Trigger ask-0-1|subscriber"}


def test_bound_deployments_are_drawn_and_others_are_not() -> None:
    drawn = graph(
        f"""
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: bound, labels: {{sends: events}}}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: other}}
    ---
    apiVersion: sources.knative.dev/v1
    kind: SinkBinding
    metadata: {{name: bind}}
    spec:
      subject:
        apiVersion: apps/v1
        kind: Deployment
        selector: {{matchLabels: {{sends: events}}}}
      sink: {KSVC % "till"}
    """
    )
    assert ways(drawn) == {
        "Deployment bound -binds> SinkBinding bind",
        "SinkBinding bind -sends> Service till",
    }
    assert "Deployment other" not in ids(drawn)
    (way,) = [each for each in drawn.edges if each.role == "sends"]
    assert (way.flows, way.shared) == (("Service/shop/till|requests",), True)


def test_a_circle_of_owners_ends() -> None:
    drawn = graph(
        """
    apiVersion: messaging.knative.dev/v1
    kind: Channel
    metadata:
      name: pipe
      uid: u1
      ownerReferences:
        - apiVersion: messaging.knative.dev/v1
          kind: Channel
          name: pipe
          uid: u1
          controller: true
    """
    )
    assert ids(drawn) == {"Channel pipe"}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        pytest.param("messaging.knative.dev/v1, kind: Channel", "", id="a Channel behind itself"),
        pytest.param(
            "flows.knative.dev/v1, kind: Sequence",
            "steps: [{uri: 'http://x.y'}]",
            id="a Sequence that asks for one",
        ),
        pytest.param(
            "flows.knative.dev/v1, kind: Parallel",
            "branches: [{subscriber: {uri: 'http://x.y'}}]",
            id="a Parallel that asks for one",
        ),
    ],
)
def test_a_channel_that_stands_behind_a_channel_takes_nothing(kind: str, spec: str) -> None:
    channel = "{apiVersion: messaging.knative.dev/v1, kind: Channel}"
    one = "{apiVersion: %s, metadata: {name: %s}, spec: {channelTemplate: %s%s}}"
    own = [
        one % ("messaging.knative.dev/v1, kind: Channel", name, channel, "")
        for name in ("c", "c-kn-sequence-0", "c-kn-parallel")
    ]
    asked = one % (kind, "c", channel, f", {spec}" if spec else "")
    drawn = graph("\n---\n".join((*own, asked)))
    assert {each.inbox for each in drawn.nodes} == {""}


def test_a_domain_leads_to_what_it_stands_for() -> None:
    text = """
    apiVersion: serving.knative.dev/v1beta1
    kind: DomainMapping
    metadata: {name: shop.example.com}
    spec: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: till}}
    ---
    """
    domain = KSVC.replace("v1, kind: Service", "v1beta1, kind: DomainMapping") % "shop.example.com"
    trigger = TRIGGER % ("t", f"{{broker: default, subscriber: {domain}}}")
    drawn = graph(many(text, SERVICE % "till", BROKER % "{}", trigger))
    assert "Trigger t -delivers> Service till" in ways(drawn)
    assert ids(drawn) == {"Service till", "Broker default", "Trigger t"}


URLS = st.lists(st.sampled_from(("http:", "//", "[", "]", "@", ":", "/")) | st.text()).map("".join)


@given(URLS, URLS)
def test_any_url_leads_somewhere(url: str, address: str) -> None:
    broker, trigger = objects(
        many(BROKER % "{}", TRIGGER % ("t", "{broker: default, subscriber: {uri: 'http://x.y'}}"))
    )
    drawn = graph_of(FakeView(_with_address(broker, address), _subscribing(trigger, url)))
    known = {each.id for each in drawn.nodes}
    assert all(each.source in known and each.target in known for each in drawn.edges)


def _with_address(obj: Object, url: str) -> Object:
    assert isinstance(obj, Broker | Service)
    return replace(obj, status=replace(obj.status, address=Addressable(url=url)))


def _subscribing(obj: Object, uri: str) -> Object:
    assert isinstance(obj, Trigger)
    return replace(obj, spec=replace(obj.spec, subscriber=Destination(uri=uri)))
