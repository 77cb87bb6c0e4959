"""Makes an EventType of every type of events that comes by, where that is switched on.

A sender may make up types without end, so no resource gets more than ``MOST``.

Source: knative/eventing ``pkg/eventtype/eventtypes.go``; Eventing reference §12.
Not here: what such an EventType says (``eventing/eventtypes.py``).
"""

from typing import Final

from knlite.controlplane.reporting import Reporter
from knlite.errors import KnliteError
from knlite.eventing.eventtypes import seen_type
from knlite.facts import EventAccepted, Fact
from knlite.kinds.catalog import KINDS
from knlite.kinds.config.eventingfeatures import EVENTTYPE_AUTO_CREATE
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.meta import Object, OwnerReference
from knlite.reconcile import key_of
from knlite.registry.registry import CONTROLLER, Notification, Registry

MOST: Final = 1000
"""EventTypes that come into being of one resource's events."""

_API_VERSIONS = {info.kind: info.api_version for info in KINDS}

_SOURCES = frozenset(("KafkaSource", "RabbitmqSource"))
"""They send what others have written; nobody sends to them."""
_Seen = tuple[str, str]
"""Type and source."""


class EventTypeRecorder:
    """Writes the EventTypes of one registry."""

    def __init__(self, registry: Registry, reporter: Reporter) -> None:
        self._registry = registry
        self._reporter = reporter
        self._on = registry.config.eventing.enabled(EVENTTYPE_AUTO_CREATE)
        self._seen: dict[str, set[_Seen]] = {}
        """By the uid of the resource."""
        self._new: list[EventType] = []

    def read(self, fact: Fact) -> None:
        """A reader of the bus; called for every event that is accepted."""
        if not self._on or not isinstance(fact, EventAccepted) or fact.kind in _SOURCES:
            return
        attributes = fact.attributes
        what = (attributes["type"], attributes["source"])
        seen = self._seen.setdefault(fact.resource_uid, set())
        if what in seen or len(seen) >= MOST:
            return
        seen.add(what)
        owner = OwnerReference(
            api_version=_API_VERSIONS[fact.kind],
            kind=fact.kind,
            name=fact.name,
            uid=fact.resource_uid,
        )
        self._new.append(seen_type(attributes, fact.namespace, owner))
        # Later: the sender waits for no store.
        self._reporter.report(self, self._write)

    def note(self, notification: Notification) -> None:
        """A listener of the registry."""
        obj: Object = notification.obj
        match obj:
            case ConfigMap():
                self._on = self._registry.config.eventing.enabled(EVENTTYPE_AUTO_CREATE)
            case EventType() if notification.change == "deleted":
                # The next event brings it back.
                for owner in obj.metadata.owner_references:
                    what = (obj.spec.type, obj.spec.source or "")
                    self._seen.get(owner.uid, set()).discard(what)
            case _ if notification.change == "deleted":
                self._seen.pop(obj.metadata.uid, None)
            case _:
                pass

    def _write(self) -> None:
        new, self._new = self._new, []
        for each in new:
            if self._registry.at(key_of(each)) is not None:
                continue
            try:
                self._registry.create(each, user=CONTROLLER)
            except KnliteError:
                # Its namespace is going: the next event will be refused.
                continue
