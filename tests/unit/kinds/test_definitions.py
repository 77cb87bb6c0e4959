"""CustomResourceDefinitions of the kinds that there are (Eventing reference §2)."""

import json
from datetime import UTC, datetime

from knlite.kinds.catalog import KINDS
from knlite.kinds.conditions import is_true
from knlite.kinds.core.customresourcedefinition import CustomResourceDefinition
from knlite.kinds.definitions import EVENT_TYPES, definitions

FOUND = {each.metadata.name: each for each in definitions(datetime(2026, 1, 1, tzinfo=UTC))}


def labelled(label: str) -> set[str]:
    return {name for name, each in FOUND.items() if each.metadata.labels.get(label) == "true"}


def test_each_of_knatives_kinds_has_one() -> None:
    assert set(FOUND) == {info.resource for info in KINDS if info.custom}


def test_sources_and_channels_are_found_by_their_labels() -> None:
    sources = labelled("duck.knative.dev/source")
    assert "pingsources.sources.knative.dev" in sources
    assert sources == {name for name in FOUND if name.endswith(".sources.knative.dev")}
    assert labelled("messaging.knative.dev/subscribable") == {
        "channels.messaging.knative.dev",
        "inmemorychannels.messaging.knative.dev",
        "kafkachannels.messaging.knative.dev",
    }
    assert "requestreplies.eventing.knative.dev" not in labelled("duck.knative.dev/addressable")


def test_all_versions_are_named_and_one_is_stored() -> None:
    found = FOUND["eventtypes.eventing.knative.dev"]
    assert {each.name: each.storage for each in found.spec.versions} == {
        "v1beta2": True,
        "v1beta1": False,
        "v1beta3": False,
    }
    assert is_true(found.status.conditions, "Established")


def test_what_a_source_sends_is_told() -> None:
    found: CustomResourceDefinition = FOUND["apiserversources.sources.knative.dev"]
    told = json.loads(found.metadata.annotations[EVENT_TYPES])
    assert len(told) == 6
    assert told[0]["type"] == "dev.knative.apiserver.resource.add"
