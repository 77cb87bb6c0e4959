"""Eventing data plane reference §9.2: config-kafka-features."""

import pytest

from knlite.kinds.config.kafkafeatures import KafkaFeatures, named, parse
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.meta import ObjectMeta

META = ObjectMeta(name="n", namespace="shop", uid="u", annotations={"team": "a"})


def test_what_is_called_how_without_it() -> None:
    found = parse({"dispatcher-rate-limiter": "enabled", "unknown": "x"})
    assert found == KafkaFeatures()
    assert named(found.brokers_topic, META) == "knative-broker-shop-n"
    assert named(found.triggers_group, META) == "knative-trigger-shop-n"
    assert named(found.channels_topic, META) == "knative-messaging-kafka.shop.n"


def test_old_keys_count_where_there_is_no_new_one() -> None:
    old = {"brokers.topic.template": "old"}
    assert parse(old).brokers_topic == "old"
    assert parse({**old, "brokers-topic-template": "new"}).brokers_topic == "new"


def test_templates_know_the_metadata() -> None:
    assert named("{{.UID}}", META) == "u"
    assert named('{{ index .Annotations "team" }}', META) == "a"


@pytest.mark.parametrize("key", ["triggers-consumergroup-template", "channels.topic.template"])
def test_what_they_do_not_know_is_refused(key: str) -> None:
    with pytest.raises(ConfigInvalid, match="not understood in a template"):
        parse({key: "{{ .Spec.Broker }}"})
