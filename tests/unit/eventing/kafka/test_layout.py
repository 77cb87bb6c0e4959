"""Names of topics and groups."""

import pytest

from knlite.eventing.kafka import layout
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.meta import ObjectMeta

META = ObjectMeta(namespace="shop", name="orders", labels={"team": "blue"})


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (layout.BROKER_TOPIC, "knative-broker-shop-orders"),
        (layout.TRIGGER_GROUP, "knative-trigger-shop-orders"),
        (layout.CHANNEL_TOPIC, "knative-messaging-kafka.shop.orders"),
        ("t-{{.UID}}", "t-u1"),
        ('{{ index .Labels "team" }}.{{ .Name }}', "blue.orders"),
    ],
)
def test_templates_name_topics_and_groups(template: str, name: str) -> None:
    assert layout.named(template, META, "u1") == name


def test_a_template_with_a_function_is_refused() -> None:
    with pytest.raises(ConfigInvalid):
        layout.named("{{ .Name | upper }}", META, "u1")


def test_the_group_of_a_subscription_holds_its_uid() -> None:
    assert layout.subscription_group("shop", "orders", "u1") == "kafka.shop.orders.u1"


@pytest.mark.parametrize("name", ["a", "a.b-c_D9", "x" * 249])
def test_takes_names_that_kafka_takes(name: str) -> None:
    assert layout.topic_problem(name) == ""


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 250, "a b", "ä", "a/b", "a\n", "a\x00"])
def test_says_why_kafka_takes_no_such_topic(name: str) -> None:
    assert layout.topic_problem(name)
