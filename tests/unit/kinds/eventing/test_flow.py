"""The annotations that say how a Trigger's events flow (Eventing data plane reference §7)."""

import pytest

from knlite.kinds.eventing import flow
from knlite.kinds.fielderror import rendered
from knlite.kinds.labels import DELIVERY_ORDER, PARALLELISM


@pytest.mark.parametrize(
    ("text", "ordered"), [(None, False), ("ordered", True), ("Ordered", True), ("unordered", False)]
)
def test_order(text: str | None, ordered: bool) -> None:
    annotations = {} if text is None else {DELIVERY_ORDER: text}
    assert flow.ordered(annotations) is ordered
    assert flow.validated(annotations) == ()


def test_an_order_that_is_none_is_refused() -> None:
    assert rendered(flow.validated({DELIVERY_ORDER: "sorted"})) == (
        "invalid annotation kafka.eventing.knative.dev/delivery.order value: sorted."
        ' Allowed values [ "ordered" | "unordered" ]:'
        " metadata.annotations[kafka.eventing.knative.dev/delivery.order]"
    )


@pytest.mark.parametrize(("text", "number"), [(None, 100), ("1", 1), ("+5", 5), ("1000", 1000)])
def test_parallelism(text: str | None, number: int) -> None:
    annotations = {} if text is None else {PARALLELISM: text}
    assert flow.parallelism(annotations) == number
    assert flow.validated(annotations) == ()


def test_with_rabbitmq_it_is_one_unless_said() -> None:
    assert flow.parallelism({}, "RabbitMQBroker") == 1
    assert flow.parallelism({PARALLELISM: "7"}, "RabbitMQBroker") == 7
    assert flow.parallelism({}, "Kafka") == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", f"expected 1 <= 0 <= 1000: {PARALLELISM}"),
        ("-1", f"expected 1 <= -1 <= 1000: {PARALLELISM}"),
        ("1001", f"expected 1 <= 1001 <= 1000: {PARALLELISM}"),
        ("many", 'strconv.Atoi: parsing "many": invalid syntax'),
        ("", 'strconv.Atoi: parsing "": invalid syntax'),
        ("1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'),
        ("٣", 'strconv.Atoi: parsing "٣": invalid syntax'),
        ("9" * 20, "value out of range"),
        ("9" * 5000, "value out of range"),
    ],
)
def test_parallelism_that_is_none_is_refused(text: str, said: str) -> None:
    assert said in rendered(flow.validated({PARALLELISM: text}))
    assert flow.parallelism({PARALLELISM: text}) == 100


def test_a_server_hands_out_as_many_as_are_asked_for() -> None:
    assert flow.prefetch({}) == 0
    assert flow.prefetch({PARALLELISM: "1"}) == 1
    assert flow.prefetch({PARALLELISM: "20"}) == 20
