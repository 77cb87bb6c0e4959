"""Whatever a text says, it is taken or refused in words: numbers, durations and quantities."""

from contextlib import suppress

import pytest

from knlite.kinds import labels
from knlite.kinds.admission import admit
from knlite.kinds.catalog import read
from knlite.kinds.config import autoscaler, defaults, deployment, features, gc, network
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.values import ConfigInvalid

KEYS = [
    *(v for k, v in vars(labels).items() if k.isupper() and isinstance(v, str) and "/" in v),
    "queue.sidecar.serving.knative.dev/cpu-resource-request",
    "queue.sidecar.serving.knative.dev/resource-percentage",
]
LONG = "9" * 5_000
TEXTS = [
    *(
        LONG,
        f"-{LONG}",
        f"{LONG}s",
        "9" * 40 + "s",
        "-" + "9" * 40 + "h",
        f"0.{LONG}",
        f"0.{LONG}s",
    ),
    *(f"P{LONG}D", f"PT0.{LONG}S", f"{LONG}Gi", f"{LONG}m", "1e999999999", "1e5000m", "1E99"),
    *("{{" * 100_000, "-----BEGIN A-----\n" * 20_000, " " * 200_000),
    *("9" * 200_000, "9" * 200_000 + "s", "0" * 5_000 + "7", "0" * 5_000 + "7s"),
    *("", " ", "\x00", "٣", "٣s", "+5", "{", "[" * 3_000, "🙂", "0x10", "1_000", "NaN", "-Inf"),
]


def ids(text: str) -> str:
    return f"{text[:12]!r} of {len(text)}"


@pytest.mark.parametrize("text", TEXTS, ids=ids)
def test_in_annotations(text: str) -> None:
    for key in KEYS:
        for place in ("service", "template"):
            metadata = {"annotations": {key: text}}
            tree = {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {"name": "a", **(metadata if place == "service" else {})},
                "spec": {
                    "template": {
                        "metadata": metadata if place == "template" else {},
                        "spec": {"containers": [{"image": "example.com/a"}]},
                    }
                },
            }
            obj = read(tree).value
            assert obj is not None
            admit(obj, None, Config(), "user")


@pytest.mark.parametrize("text", TEXTS, ids=ids)
def test_in_fields(text: str) -> None:
    amounts = {"cpu": text, "memory": text}
    container = {"image": "example.com/a", "resources": {"limits": amounts, "requests": amounts}}
    sink = {"uri": "http://a.example", "CACerts": text}
    delivery = {
        "backoffDelay": text,
        "timeout": text,
        "backoffPolicy": text,
        "deadLetterSink": sink,
    }
    for tree in (
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        },
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Broker",
            "metadata": {"name": "a"},
            "spec": {"delivery": delivery},
        },
    ):
        obj = read(tree).value
        assert obj is not None
        admit(obj, None, Config(), "user", dry_run=True)


@pytest.mark.parametrize("text", TEXTS, ids=ids)
def test_in_config_maps(text: str) -> None:
    for section in (autoscaler, defaults, deployment, features, gc, network):
        for key in section.KEYS:
            with suppress(ConfigInvalid):
                section.parse({key: text})
    with suppress(ConfigInvalid):
        network.parse_domain({"example.com": f"selector:\n{text}"})
