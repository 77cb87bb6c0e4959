"""How a resource and its readers stand on their server, told when it changes.

Not here: what becomes of it in conditions (``eventing/standings.py``).
"""

from knlite.clock import Clock
from knlite.eventlog.port import Owner
from knlite.facts import LogStanding, Publish


class Standings:
    """Of one resource; *reason* and *message* are as in ``LogStanding``."""

    def __init__(self, owner: Owner, publish: Publish, clock: Clock) -> None:
        self._owner = owner
        self._publish = publish
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[bool | None, str, str]] = {}
        """The last of each reader ("" for the resource itself) and part."""

    def resource(self, ready: bool | None, reason: str = "", message: str = "") -> None:
        """The exchange or the topic, and the way to it."""
        self._tell("", "", ready, reason, message)

    def dead_letters(self, ready: bool | None, reason: str = "", message: str = "") -> None:
        """The Broker's queue of dead letters."""
        self._tell("", "dead letters", ready, reason, message)

    def reader(self, uid: str, ready: bool | None, reason: str = "", message: str = "") -> None:
        """The queue or the group of a reader."""
        self._tell(uid, "", ready, reason, message)

    def forget(self, uid: str) -> None:
        """The reader is gone."""
        self._told.pop((uid, ""), None)

    def _tell(self, uid: str, part: str, ready: bool | None, reason: str, message: str) -> None:
        said = (ready, reason, message)
        if self._told.get((uid, part)) == said:
            return
        self._told[uid, part] = said
        owner = self._owner
        self._publish(
            LogStanding(
                at=self._clock.wall(),
                kind=owner.kind,
                namespace=owner.namespace,
                name=owner.name,
                resource_uid=owner.uid,
                egress_uid=uid,
                ready=ready,
                reason=reason,
                message=message,
                part=part,
            )
        )
