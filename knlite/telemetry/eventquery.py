"""Which events people ask for, and what that asks of a history.

Not here: who answers (``eventrecords.py``).
"""

from collections.abc import Callable
from typing import Protocol

from knlite.eventlog.history import Wanted

Uids = Callable[[str, str, str], frozenset[str]]
"""The uids of the egresses of a kind (empty: of any), a namespace and a name."""


class Query(Protocol):
    """Which events are asked for; what is empty selects all. Arrivals are microseconds."""

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def egress(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def before(self) -> int: ...
    @property
    def limit(self) -> int: ...


def wanted_by(query: Query, uids: Uids, *, troubled: bool = False) -> Wanted | None:
    """What a history is asked for; None if there can be none.

    *troubled*: for dead letters, each of which has a state of its own that its event's may hide.
    """
    readers = frozenset[str]()
    if query.egress:
        for each in query.egress.split(","):
            readers |= uids(*_egress_named(each))
        if not readers:
            return None
    return Wanted(
        id=query.id,
        source=query.source,
        type=query.type,
        subject=query.subject,
        text=query.text,
        state="" if troubled else query.state,
        readers=readers,
        kind=query.kind,
        namespace=query.namespace,
        name=query.name,
        since=query.since,
        before=query.before,
        troubled=troubled,
        limit=query.limit,
    )


def _egress_named(text: str) -> tuple[str, str, str]:
    """Kind, namespace and name of an egress; what is not said is any kind, and ``default``."""
    parts = text.split("/")
    kind = parts[0] if len(parts) > 2 else ""
    namespace = parts[-2] if len(parts) > 1 else "default"
    return kind, namespace, parts[-1]
