"""Where the API server gets logs from: the port that telemetry fills."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from knlite.facts import LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLogOptions:
    """Which lines of which container of an instance are asked for, and how they are to be written.

    *tail* and *limit* are numbers of lines and bytes; None means all.
    """

    namespace: str
    instance: str
    container: str = ""
    previous: bool = False
    since: datetime | None = None
    tail: int | None = None
    follow: bool = False
    timestamps: bool = False
    limit: int | None = None


class LogSource(Protocol):
    """Lines that instances wrote. Who follows them closes what it was given."""

    def tail(self, namespace: str, service: str, count: int | None = None) -> Sequence[LogLine]:
        """The last lines of a service."""
        ...

    def follow(
        self, namespace: str, service: str, count: int | None = None
    ) -> AsyncGenerator[LogLine, None]:
        """The last lines of a service, then new ones."""
        ...

    def knows(self, namespace: str, instance: str) -> bool:
        """Whether there is, or was lately, an instance of that name."""
        ...

    def of_instance(self, wanted: PodLogOptions) -> Sequence[LogLine] | None:
        """Its lines; None if there was no such start of it."""
        ...

    def follow_instance(self, wanted: PodLogOptions) -> AsyncGenerator[LogLine, None]:
        """Its lines, then new ones until it is gone."""
        ...
