"""An object as YAML: what is folded away, and what is hidden."""

from base64 import b64encode

import yaml

from knlite.console.manifests.shown import HIDDEN, edited, shown, state_of, to_yaml
from knlite.kinds.core.secret import Secret
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.meta import ObjectMeta
from tests.unit.registry.desk import broker, config_map, registry

PASSWORD = b64encode(b"hunter2").decode()


def secret() -> Secret:
    annotations = {LAST_APPLIED: '{"data": {"password": "aHVudGVyMg=="}}', "mine": "kept"}
    metadata = ObjectMeta(name="keys", namespace="default", annotations=annotations)
    return Secret(metadata=metadata, data={"password": PASSWORD})


def test_what_only_the_system_writes_is_folded_away() -> None:
    stored = registry().create(broker(), user="test")
    tree = yaml.safe_load(shown(stored))
    assert {"uid", "resourceVersion", "creationTimestamp"}.isdisjoint(tree["metadata"])
    assert "status" not in tree
    whole = yaml.safe_load(shown(stored, whole=True))
    assert whole["metadata"]["uid"] == stored.metadata.uid


def test_a_secret_shows_its_keys_and_not_their_values() -> None:
    for whole in (False, True):
        text = shown(secret(), whole=whole)
        assert yaml.safe_load(text)["data"] == {"password": HIDDEN}
        assert PASSWORD not in text
        assert "hunter2" not in text
    assert yaml.safe_load(shown(secret(), secrets=True))["data"] == {"password": PASSWORD}


def test_the_state_is_another_once_somebody_has_changed_something() -> None:
    desk = registry()
    first = desk.create(config_map(a="1"), user="test")
    same = desk.update(config_map(a="1"), user="test")
    other = desk.update(config_map(a="2"), user="test")
    assert state_of(first) == state_of(same) != state_of(other)


def test_texts_of_several_lines_are_blocks_and_come_back_as_they_were() -> None:
    values = ["a\nb\n", "a \nb", "no", "5", "", "ñ: #", "x" * 300, "\x00\u2028"]
    for value in values:
        assert yaml.safe_load(to_yaml({"key": value})) == {"key": value}
    assert "key: |" in to_yaml({"key": "a\nb\n"})


def test_an_object_without_annotations_has_none() -> None:
    tree = {"kind": "X", "metadata": {"name": "x", "annotations": {LAST_APPLIED: "{}"}}}
    assert edited(tree) == {"kind": "X", "metadata": {"name": "x"}}
