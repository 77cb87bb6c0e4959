"""What the conditions of an object were."""

from datetime import UTC, datetime

import msgspec

from knlite.console.manifests.conditions import KEPT, OBJECTS, ConditionHistory
from knlite.kinds.conditions import Condition
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Key
from knlite.registry.commits import Notification


def broker(status: str = "", reason: str = "", name: str = "b") -> Broker:
    plain = Broker(metadata=ObjectMeta(name=name, namespace="default"))
    conditions = (Condition(type="Ready", status=status, reason=reason),) if status else ()  # type: ignore[arg-type]  # one of three texts
    return msgspec.structs.replace(
        plain, status=msgspec.structs.replace(plain.status, conditions=conditions)
    )


def history() -> ConditionHistory:
    return ConditionHistory(lambda: datetime(2026, 1, 2, tzinfo=UTC))


KEY = Key(Broker, "default", "b")


def test_the_newest_change_comes_first() -> None:
    found = history()
    found.note(Notification("added", broker(), None))
    found.note(Notification("modified", broker("Unknown", "Deploying"), broker()))
    found.note(Notification("modified", broker("True"), broker("Unknown", "Deploying")))
    assert [(each.type, each.status, each.reason) for each in found.of(KEY)] == [
        ("Ready", "True", ""),
        ("Ready", "Unknown", "Deploying"),
    ]


def test_what_changes_nothing_is_no_change() -> None:
    found = history()
    found.note(Notification("modified", broker("True"), broker("True")))
    assert found.of(KEY) == ()


def test_an_object_that_is_gone_is_forgotten() -> None:
    found = history()
    found.note(Notification("added", broker("True"), None))
    found.note(Notification("deleted", broker("True"), broker("True")))
    assert found.of(KEY) == ()


def test_there_are_bounds() -> None:
    found = history()
    for number in range(OBJECTS + 1):
        found.note(Notification("added", broker("True", name=f"b{number}"), None))
    assert found.of(Key(Broker, "default", "b0")) == ()
    for number in range(KEPT * 2):
        found.note(Notification("modified", broker("False", f"R{number}"), broker("True")))
    assert len(found.of(KEY)) == KEPT
