"""Requests and cold starts for tests."""

from datetime import UTC, datetime

from knlite.facts import ColdStart, RequestDone

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def done(**fields: object) -> RequestDone:
    """An ordinary request; *fields* are what matters."""
    usual: dict[str, object] = {
        "at": NOW, "namespace": "default", "service": "web", "revision": "web-00001",
        "instance": "i", "method": "GET", "status": 200, "seconds": 1.0, "cold": False,
        "first_byte": 0.75,
    }  # fmt: skip
    return RequestDone(**{**usual, **fields})  # type: ignore[arg-type]  # by name


def start(**fields: object) -> ColdStart:
    """An ordinary cold start of three quarters of a second."""
    usual: dict[str, object] = {
        "at": NOW, "namespace": "default", "service": "web", "revision": "web-00001",
        "instance": "i", "queued": 0.0, "created": 0.125, "started": 0.25, "ready": 0.5,
        "forwarded": 0.5, "first_byte": 0.75, "how": "spawned",
    }  # fmt: skip
    return ColdStart(**{**usual, **fields})  # type: ignore[arg-type]  # by name
