"""Printer columns: what a listing shows of an object, and those that many kinds share.

Source: Kubernetes ``additionalPrinterColumns``; Knative reference §1.1, Eventing reference §2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from knlite.kinds.conditions import READY, Condition, find


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing.

    Of a column of type ``date`` the cell is an RFC 3339 time, which is shown as the time since.
    Columns with a *priority* above 0 are shown with ``-o wide`` only.
    """

    name: str
    cell: Callable[[Any], str]
    type: Literal["string", "integer", "date"] = "string"
    priority: int = 0


def status_of(name: str) -> Callable[[Any], str]:
    """A cell that shows the field *name* of the status."""
    return lambda obj: str(getattr(obj.status, name) or "")


def label(key: str) -> Callable[[Any], str]:
    """A cell that shows a label."""
    return lambda obj: obj.metadata.labels.get(key, "")


def count_of(name: str) -> Callable[[Any], str]:
    """A cell that shows the number *name* of the status; 0 is one, too."""

    def cell(obj: Any) -> str:
        count = getattr(obj.status, name)
        return "" if count is None else str(count)

    return cell


def _ready(obj: Any) -> Condition:
    return find(obj.status.conditions) or Condition(type=READY, status="Unknown")


def _address(obj: Any) -> str:
    return obj.status.address.url if obj.status.address else ""


NAME = Column("Name", lambda obj: obj.metadata.name)
AGE = Column("Age", lambda obj: obj.metadata.creation_timestamp or "", "date")
READY_COLUMNS = (
    Column("Ready", lambda obj: _ready(obj).status),
    Column("Reason", lambda obj: _ready(obj).reason),
)
URL = Column("URL", status_of("url"))
ADDRESS_URL = Column("URL", _address)
LATEST = (
    Column("LatestCreated", status_of("latest_created_revision_name")),
    Column("LatestReady", status_of("latest_ready_revision_name")),
)
