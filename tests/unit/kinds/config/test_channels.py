"""Eventing reference §5: default-ch-webhook."""

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.channels import NAME, ChannelDefaults, parse
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import ObjectMeta
from knlite.registry.configmaps import read_config

KAFKA = ChannelTemplate(api_version="messaging.knative.dev/v1beta1", kind="KafkaChannel")
TEXT = """\
clusterDefault:
  apiVersion: messaging.knative.dev/v1
  kind: InMemoryChannel
  spec: {delivery: {retry: 3}}
namespaceDefaults:
  shop: {apiVersion: messaging.knative.dev/v1beta1, kind: KafkaChannel}
"""


def test_nothing_said_leaves_the_channel_in_memory() -> None:
    found = parse(None)
    assert found == ChannelDefaults()
    assert found.template_for("shop") == ChannelTemplate(
        api_version="messaging.knative.dev/v1", kind="InMemoryChannel"
    )


def test_reads_the_document_in_the_config_map() -> None:
    metadata = ObjectMeta(namespace="knative-eventing", name=NAME)
    config = read_config(
        [ConfigMap(metadata=metadata, data={"default-ch-config": TEXT})], {}, 8080, 8443
    )
    assert config.channels.template_for("shop") == KAFKA
    elsewhere = config.channels.template_for("default")
    assert elsewhere is not None
    assert elsewhere.spec == {"delivery": {"retry": 3}}
    assert Config(channels=config.channels) != Config()


def test_an_empty_document_means_no_default() -> None:
    assert parse({}).template_for("shop") is None


@pytest.mark.parametrize("document", [[], {"clusterDefault": "x"}, {"namespaceDefaults": []}])
def test_refuses_what_it_cannot_read(document: object) -> None:
    with pytest.raises(ConfigInvalid, match='failed to parse "default-ch-config"'):
        parse(document)
