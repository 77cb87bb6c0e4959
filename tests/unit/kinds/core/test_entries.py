"""Kubernetes core/v1: admission of Namespace, ConfigMap and Secret."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.core import configmap, namespace, secret
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
META = ObjectMeta(name="settings", namespace="shop")


def test_plain_texts_of_a_secret_become_base64_and_win() -> None:
    obj = Secret(metadata=META, data={"user": "YQ==", "key": "YQ=="}, string_data={"key": "näh"})
    moved = secret.defaulted(obj, None, CONFIG)
    assert moved.data == {"user": "YQ==", "key": "bsOkaA=="}
    assert moved.string_data == {}


def test_the_value_of_a_secret_is_in_no_error() -> None:
    obj = Secret(metadata=META, data={"pass word": "hunter2!", "other": "hunter2!"})
    text = rendered(secret.validated(obj, None, CONFIG))
    assert 'invalid key name "pass word": data[pass word]' in text
    assert "value is not base64: data[other], data[pass word]" in text
    assert "hunter2" not in text


def test_the_type_of_a_secret_may_not_change() -> None:
    old = secret.defaulted(Secret(metadata=META), None, CONFIG)
    assert old.type == "Opaque"
    obj = Secret(metadata=META, type="kubernetes.io/tls")
    assert rendered(secret.validated(obj, old, CONFIG)) == (
        f"invalid value: {obj.type}: type\nfield is immutable"
    )


@pytest.mark.parametrize(
    ("new", "text"),
    [
        pytest.param({"immutable": True}, "", id="unchanged"),
        pytest.param(
            {"immutable": True, "data": {"a": "2"}},
            "field is immutable when `immutable` is set: data",
            id="data",
        ),
        pytest.param({}, "field is immutable when `immutable` is set: immutable", id="flag"),
    ],
)
def test_an_immutable_configmap_stays_as_it_is(new: dict[str, object], text: str) -> None:
    old = ConfigMap(metadata=META, data={"a": "1"}, immutable=True)
    obj = replace(ConfigMap(metadata=META, data={"a": "1"}), **new)
    assert rendered(configmap.validated(obj, old, CONFIG)) == text


@pytest.mark.parametrize(
    ("obj", "beginning"),
    [
        pytest.param(
            ConfigMap(metadata=META, data={"a": "1"}, binary_data={"a": "MQ=="}),
            "duplicate of key present in data: binaryData[a]",
            id="twice",
        ),
        pytest.param(
            ConfigMap(metadata=META, data={"..": "1"}),
            "invalid key name \"..\": data[..]\nmust not be '..'",
            id="dots",
        ),
        pytest.param(
            ConfigMap(metadata=replace(META, name="Not_a_name")),
            "invalid value: Not_a_name: metadata.name\na lowercase RFC 1123 subdomain",
            id="name",
        ),
        pytest.param(
            ConfigMap(metadata=ObjectMeta(namespace="shop")),
            "name or generateName is required: metadata.name",
            id="no-name",
        ),
    ],
)
def test_what_a_configmap_may_not_hold(obj: ConfigMap, beginning: str) -> None:
    assert rendered(configmap.validated(obj, None, CONFIG)).startswith(beginning)


def test_a_namespace_is_active_and_carries_its_name_as_a_label() -> None:
    obj = namespace.defaulted(Namespace(metadata=ObjectMeta(name="shop")), None, CONFIG)
    assert obj.metadata.labels == {"kubernetes.io/metadata.name": "shop"}
    assert obj.status.phase == "Active"
    assert namespace.validated(obj, None, CONFIG) == ()


def test_the_name_of_a_namespace_has_no_dots() -> None:
    obj = Namespace(metadata=ObjectMeta(name="a.b"))
    assert "invalid value: a.b: metadata.name" in rendered(namespace.validated(obj, None, CONFIG))
