"""Eventing data plane reference §9.4: what exchanges and queues are called."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.rabbitmq import names

UID = "9e68618c-0fd0-58a4-a1b8-7c336b051e97"


def test_they_name_the_object_and_its_uid() -> None:
    assert names.broker_exchange("shop", "b", "u") == "b.shop.b.u"
    assert names.broker_dead_letter_exchange("shop", "b", "u") == "b.shop.b.dlx.u"
    assert names.broker_dead_letter_queue("shop", "b", "u") == "b.shop.b.dlq.u"
    assert names.trigger_queue("shop", "t", "u") == "shop.t.u"
    assert names.trigger_dead_letter_exchange("shop", "t", "u") == "t.shop.t.dlx.u"
    assert names.trigger_dead_letter_queue("shop", "t", "u") == "t.shop.t.dlq.u"


_label = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@given(namespace=_label, name=_label)
def test_all_but_the_queue_of_a_trigger_are_cut(namespace: str, name: str) -> None:
    assert len(names.broker_exchange(namespace, name, UID)) <= 63
    assert len(names.trigger_dead_letter_queue(namespace, name, UID)) <= 63
    assert names.trigger_queue(namespace, name, UID) == f"{namespace}.{name}.{UID}"
    assert names.broker_exchange(namespace, name, UID) != names.broker_exchange(
        namespace, f"{name}x", UID
    )
