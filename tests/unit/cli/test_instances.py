"""What ``knlite get`` says of instances."""

from typing import Any

from knlite.cli.instances import cells, counted


def pod(service: str, *, ready: bool = False, reason: str = "", going: bool = False) -> Any:
    return {
        "metadata": {
            "namespace": "n",
            "labels": {
                "serving.knative.dev/service": service,
                "serving.knative.dev/revision": f"{service}-00001",
            },
            **({"deletionTimestamp": "2026-01-02T00:00:00Z"} if going else {}),
        },
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            **({"reason": reason} if reason else {}),
        },
    }


PODS = [
    pod("a", ready=True),
    pod("a", reason="Frozen"),
    pod("a", reason="Frozen"),
    pod("a"),
    pod("b", reason="Stopped"),
    pod("b", reason="Frozen", going=True),
    {"metadata": {"name": "plain", "namespace": "n"}},
]


def test_instances_are_counted_by_how_they_are() -> None:
    objects = [("n", "a"), ("n", "b"), ("n", "c"), ("other", "a")]
    assert cells("services", objects, PODS) == [
        "1, 1 not ready, 2 frozen",
        "0, 1 stopped, 1 ending",
        "0",
        "0",
    ]


def test_revisions_have_theirs_as_well() -> None:
    assert cells("revisions", [("n", "a-00001")], PODS) == ["1, 1 not ready, 2 frozen"]
    assert counted("serving.knative.dev", "revisions")
    assert not counted("", "services")
