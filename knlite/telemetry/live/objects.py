"""Which objects have changed; who shows one reads it anew."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from knlite.kinds.catalog import info_of
from knlite.registry.registry import Notification, Registry
from knlite.telemetry.live.deltas import Keyed
from knlite.telemetry.live.hub import Hub

TOPIC = "objects"


class ObjectNow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object that was made, changed or deleted."""

    kind: str
    api_version: str
    namespace: str
    name: str
    deleted: bool


class Objects:
    """A listener of the registry, while somebody looks."""

    def __init__(self, live: Hub, registry: Registry) -> None:
        self._live = live
        self._registry = registry
        live.topic(TOPIC)
        live.while_watched(TOPIC, self._listening)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        with self._registry.listening(self._note):
            yield

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        info, meta = info_of(type(obj)), obj.metadata
        now = ObjectNow(
            kind=info.kind,
            api_version=info.api_version,
            namespace=meta.namespace,
            name=meta.name,
            deleted=notification.change == "deleted",
        )
        self._live.tell(TOPIC, Keyed("changed", {(type(obj), meta.namespace, meta.name): now}))
