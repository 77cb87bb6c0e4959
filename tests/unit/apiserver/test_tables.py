"""Tables (Kubernetes meta/v1; ages as ``apimachinery/pkg/util/duration`` words them)."""

from datetime import UTC, datetime, timedelta

import pytest

from knlite.apiserver.tables import age, cells, definitions, human_duration
from knlite.kinds.catalog import info_of
from knlite.kinds.core.event import Event
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.meta import ObjectMeta

NOW = datetime(2026, 1, 2, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"),
        (599, "9m59s"), (600, "10m"), (10799, "179m"), (10800, "3h"), (11100, "3h5m"),
        (28799, "7h59m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"),
        (691200, "8d"), (63072000, "2y"), (63158400, "2y1d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_ages_are_worded_as_kubectl_does(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_the_age_of_an_object() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert age((now - timedelta(seconds=61)).strftime("%Y-%m-%dT%H:%M:%SZ"), now) == "61s"
    assert age("", now) == "<unknown>"
    assert age("yesterday", now) == "<unknown>"


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
