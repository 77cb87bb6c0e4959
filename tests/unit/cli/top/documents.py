"""Messages of the live feed, with as little in them as a test needs."""

from typing import Any

AT = "2026-01-02T03:04:05Z"


def instance(name: str = "web-1", state: str = "ready", **other: Any) -> dict[str, Any]:
    return {
        "instance": name,
        "namespace": "default",
        "service": "web",
        "revision": "web-00001",
        "state": state,
        "why": "",
        "reason": "",
        "at": AT,
        "how": "",
        "restarts": 0,
        **other,
    }


def load(revision: str = "web-00001", **other: Any) -> dict[str, Any]:
    return {
        "namespace": "default",
        "service": "web",
        "revision": revision,
        "requests": 0,
        "failed": 0,
        "queued": 0,
        "active": 0,
        "concurrency": 0.0,
        "metric": "concurrency",
        "target": 70.0,
        "stable": 0.0,
        "panicWindow": 0.0,
        "panic": False,
        "desired": 1,
        "ready": 1,
        "notReady": 0,
        "pending": 0,
        "frozen": 0,
        "gone": False,
        **other,
    }


def event(arrival: int, state: str = "delivered", **other: Any) -> dict[str, Any]:
    return {
        "arrival": arrival,
        "at": AT,
        "id": f"e-{arrival}",
        "source": "/s",
        "type": "order.paid",
        "to": {"kind": "Broker", "namespace": "default", "name": "default"},
        "sender": "curl",
        "state": state,
        "deliveries": {state: 2} if state != "unmatched" else {},
        "replayOf": 0,
        "size": 1,
        **other,
    }


def start(seconds: float = 1.0, **other: Any) -> dict[str, Any]:
    half = seconds / 2
    return {
        "id": "r-1",
        "number": 1,
        "at": AT,
        "namespace": "default",
        "service": "web",
        "revision": "web-00001",
        "instance": "web-1",
        "method": "GET",
        "path": "/shop",
        "status": 200,
        "seconds": seconds,
        "cold": True,
        "how": "forked",
        "why": "",
        "stages": [
            {"name": "create", "start": 0.0, "end": half, "why": "its process was forked"},
            {"name": "app", "start": half, "end": seconds, "why": ""},
        ],
        **other,
    }


def notice(text: str, **other: Any) -> dict[str, Any]:
    return {
        "at": AT,
        "level": "info",
        "kind": "Notice",
        "text": text,
        "object": "Service/default/web",
        **other,
    }


def service(status: str = "True", **other: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, **other}
    return {
        "metadata": {"namespace": "default", "name": "web"},
        "status": {
            "url": "http://web.default.localhost:8080",
            "conditions": [condition],
            "traffic": [{"percent": 100, "revisionName": "web-00001"}],
        },
    }
