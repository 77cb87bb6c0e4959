"""How things stand on a server, told when it changes."""

import random
from dataclasses import dataclass
from typing import Literal

from knlite.clock import Clock
from knlite.eventlog.port import Owner
from knlite.facts import LogStanding, Notice, Publish


@dataclass(frozen=True, slots=True)
class Around:
    """What all logs of a run have in common."""

    publish: Publish
    clock: Clock
    draw: random.Random
    run: str
    """The id of this run, which events carry that it has taken in."""


class Standings:
    """Of one resource and its readers."""

    def __init__(self, around: Around, owner: Owner) -> None:
        self._around = around
        self._owner = owner
        self._told: dict[tuple[str, str], tuple[bool | None, str, str]] = {}

    def resource(self, ready: bool | None, reason: str, message: str) -> None:
        """The exchange, and the way to it."""
        self._tell("", "", ready, reason, message)

    def dead_letters(self, ready: bool | None, reason: str, message: str) -> None:
        """The Broker's queue of dead letters."""
        self._tell("", "dead letters", ready, reason, message)

    def reader(self, uid: str, ready: bool | None, reason: str, message: str) -> None:
        """The queue of a reader."""
        self._tell(uid, "", ready, reason, message)

    def forget(self, uid: str) -> None:
        """The reader is gone."""
        self._told.pop((uid, ""), None)

    def notice(self, level: Literal["info", "warning", "error"], text: str) -> None:
        """Something that a person should know, and no condition says."""
        self._around.publish(Notice(at=self._around.clock.wall(), level=level, text=text))

    def _tell(
        self,
        uid: str,
        part: str,
        ready: bool | None,
        reason: str,
        message: str,
    ) -> None:
        said = (ready, reason, message)
        if self._told.get((uid, part), ()) == said:
            return
        self._told[uid, part] = said
        owner = self._owner
        self._around.publish(
            LogStanding(
                at=self._around.clock.wall(),
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
