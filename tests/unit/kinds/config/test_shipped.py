"""The ConfigMaps of a fresh platform: their examples are true, and they set nothing."""

from types import ModuleType

import pytest
import yaml

from knlite.kinds.config import (
    autoscaler,
    defaults,
    deployment,
    features,
    gc,
    network,
    observability,
    shipped,
)
from knlite.kinds.config.bundle import Config
from knlite.registry.configmaps import is_config, read_config

SECTIONS = [
    pytest.param(shipped.AUTOSCALER, autoscaler, id="autoscaler"),
    pytest.param(shipped.DEFAULTS, defaults, id="defaults"),
    pytest.param(shipped.DEPLOYMENT, deployment, id="deployment"),
    pytest.param(shipped.FEATURES, features, id="features"),
    pytest.param(shipped.GC, gc, id="gc"),
    pytest.param(shipped.NETWORK, network, id="network"),
    pytest.param(shipped.OBSERVABILITY, observability, id="observability"),
]


def test_the_shipped_config_maps_set_nothing() -> None:
    assert read_config(shipped.shipped().values(), {}, 8080, 8443) == Config()


@pytest.mark.parametrize(("entries", "section"), SECTIONS)
def test_copying_the_whole_example_changes_nothing(
    entries: shipped.Entries, section: ModuleType
) -> None:
    data = yaml.safe_load(shipped.example_of(entries))
    assert data.keys() <= section.KEYS
    parsed, standard = section.parse(data), section.parse({})
    if section is features:
        # Which holds flags as they are written.
        assert all(parsed.flag(key) == standard.flag(key) for key in section.KEYS)
    else:
        assert parsed == standard


@pytest.mark.parametrize(("entries", "section"), SECTIONS)
def test_every_key_is_in_the_example_of_its_section(
    entries: shipped.Entries, section: ModuleType
) -> None:
    [text] = [
        obj.data[shipped.EXAMPLE]
        for (namespace, name), obj in shipped.shipped().items()
        if name == section.NAME and namespace == "knative-serving"
    ]
    current = {key for key in section.KEYS if key == key.lower()}
    assert {key for key in current if key not in text} == set()


def test_every_section_is_shipped() -> None:
    found = [obj for obj in shipped.shipped().values() if is_config(obj)]
    assert len(found) == 15
