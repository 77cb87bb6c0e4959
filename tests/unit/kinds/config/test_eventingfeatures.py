import pytest

from knlite.kinds.config import eventingfeatures
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventingfeatures import (
    EventingFeatures,
    parse,
    warnings,
)
from knlite.kinds.core.configmap import ConfigMap, validated
from knlite.kinds.fielderror import refusing
from knlite.kinds.meta import ObjectMeta


def test_what_is_in_force_unless_said() -> None:
    features = EventingFeatures()
    assert features.delivery_timeout
    assert not features.delivery_retry_after
    assert not features.authentication
    assert features.default_authorization_mode == "allow-same-namespace"
    assert features.discovery_base_url == "https://kubernetes.default.svc"
    assert features.request_reply_timeout == 30.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [pytest.param("PT2S", 2.0, id="said"), pytest.param("soon", 30.0, id="unreadable")],
)
def test_the_time_a_request_reply_waits(text: str, seconds: float) -> None:
    assert parse({"requestreply-default-timeout": text}).request_reply_timeout == seconds


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        pytest.param("delivery-timeout", "ENABLED", "", id="any-case"),
        pytest.param("delivery-timeout", "yes", 'unknown feature flag value "yes"', id="unknown"),
        pytest.param("default-authorization-mode", "deny-all", "", id="mode"),
        pytest.param("default-authorization-mode", "enabled", "unknown feature", id="no-mode"),
        pytest.param("transport-encryption", "strict", "has no effect", id="idle"),
        pytest.param("transport-encryption", "disabled", "", id="idle-and-off"),
        pytest.param("apiserversources-nodeselector-disk", "ssd", "has no effect", id="selector"),
        pytest.param("requestreply-default-timeout", "soon", "no ISO 8601", id="duration"),
        pytest.param("_example", "yes", "", id="example"),
        pytest.param("of-a-later-release", "yes", "", id="unknown-key"),
    ],
)
def test_what_is_warned_about(key: str, value: str, text: str) -> None:
    told = [sentence for _, sentence in warnings({key: value})]
    assert (text in told[0]) if text else not told


def test_a_warning_refuses_nothing() -> None:
    metadata = ObjectMeta(namespace="knative-eventing", name=eventingfeatures.NAME)
    errors = validated(
        ConfigMap(metadata=metadata, data={"delivery-timeout": "yes"}), None, Config()
    )
    assert errors
    assert not refusing(errors)
    elsewhere = ObjectMeta(namespace="default", name=eventingfeatures.NAME)
    assert not validated(
        ConfigMap(metadata=elsewhere, data={"delivery-timeout": "yes"}), None, Config()
    )
