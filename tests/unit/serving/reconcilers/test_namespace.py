from datetime import UTC, datetime, timedelta

import pytest

from knlite.kinds.core.namespace import LIFECYCLE, Namespace
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Create, Key, Update
from knlite.serving.reconcilers.namespace import LINGERING, reconcile
from tests.unit.fake_view import FakeView

DELETED = datetime(2026, 1, 2, tzinfo=UTC)
KEY = Key(Namespace, "", "shop")


def going(*finalizers: str) -> Namespace:
    deleted = DELETED.isoformat().replace("+00:00", "Z")
    return Namespace(
        metadata=ObjectMeta(name="shop", deletion_timestamp=deleted, finalizers=finalizers)
    )


def test_a_namespace_gets_the_default_account() -> None:
    outcome = reconcile(KEY, FakeView(Namespace(metadata=ObjectMeta(name="shop"))), DELETED)
    (change,) = outcome.changes
    assert isinstance(change, Create)
    assert isinstance(change.obj, ServiceAccount)


@pytest.mark.parametrize("passed", [timedelta(), LINGERING - timedelta(milliseconds=1)])
def test_one_that_is_going_keeps_its_contents_for_a_while(passed: timedelta) -> None:
    outcome = reconcile(KEY, FakeView(going(LIFECYCLE)), DELETED + passed)
    assert not outcome.changes
    assert outcome.requeue_after == (LINGERING - passed).total_seconds()


def test_then_only_others_hold_it() -> None:
    outcome = reconcile(KEY, FakeView(going("a.b/c", LIFECYCLE)), DELETED + LINGERING)
    (change,) = outcome.changes
    assert isinstance(change, Update)
    assert change.obj.metadata.finalizers == ("a.b/c",)
    assert not reconcile(KEY, FakeView(going("a.b/c")), DELETED + LINGERING).changes
