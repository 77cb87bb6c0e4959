"""What ``kubectl get`` prints of kinds whose columns are out of the ordinary."""

from datetime import UTC, datetime

from knlite.apiserver.tables import cells, definitions
from knlite.kinds.catalog import info_of
from knlite.kinds.core.endpoints import ObjectReference
from knlite.kinds.core.event import Event
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta

NOW = datetime(2026, 1, 2, 0, 5, tzinfo=UTC)


def test_an_event_is_shown_by_what_happened_and_when_not_by_its_name() -> None:
    event = Event(
        metadata=ObjectMeta(name="web.1", namespace="shop"),
        involved_object=ObjectReference(kind="Pod", name="web"),
        type="Normal",
        reason="Started",
        message="Started the containers",
        last_timestamp="2026-01-02T00:00:00Z",
    )
    info = info_of(Event)
    row = dict(zip((each.name for each in definitions(info)), cells(info, event, NOW), strict=True))
    shown = [each.name for each in definitions(info) if each.priority == 0]
    assert shown == ["Last Seen", "Type", "Reason", "Object", "Message"]
    assert [row[name] for name in shown] == [
        "5m",
        "Normal",
        "Started",
        "pod/web",
        "Started the containers",
    ]
    assert row["Name"] == "web.1"


def test_everything_else_is_shown_by_its_name_first() -> None:
    info = info_of(Namespace)
    assert [each.name for each in definitions(info)] == ["Name", "Status", "Age"]
    assert definitions(info)[0].format == "name"
