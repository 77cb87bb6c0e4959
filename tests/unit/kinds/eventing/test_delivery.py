"""Eventing reference §1.5 and data plane reference §3.4: what a DeliverySpec may say."""

import pytest

from knlite.kinds.eventing.delivery import DeliverySpec, defaulted, validated
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered, under
from knlite.kinds.kreference import KReference


def errors(delivery: DeliverySpec, *flags: str) -> str:
    return rendered(under("spec.delivery", validated(delivery, lambda flag: flag in flags)))


@pytest.mark.parametrize(
    ("delivery", "text"),
    [
        pytest.param(DeliverySpec(retry=0, backoff_policy="linear"), "", id="plain"),
        pytest.param(DeliverySpec(retry=-1), "invalid value: -1: spec.delivery.retry", id="retry"),
        pytest.param(DeliverySpec(timeout="PT5S"), "", id="timeout"),
        pytest.param(
            DeliverySpec(timeout="PT0.05S"),
            "invalid value: PT0.05S: spec.delivery.timeout",
            id="timeout-cut-to-zero",
        ),
        pytest.param(
            DeliverySpec(timeout="5s"), "invalid value: 5s: spec.delivery.timeout", id="go-duration"
        ),
        pytest.param(
            DeliverySpec(backoff_policy="random"),
            "invalid value: random: spec.delivery.backoffPolicy",
            id="policy",
        ),
        pytest.param(DeliverySpec(backoff_delay="PT0S"), "", id="no-backoff"),
        pytest.param(
            DeliverySpec(backoff_delay="soon"),
            "invalid value: soon: spec.delivery.backoffDelay",
            id="backoff",
        ),
        pytest.param(
            DeliverySpec(retry_after_max="PT5S"),
            "must not set the field(s): spec.delivery.retryAfterMax",
            id="retry-after-behind-its-flag",
        ),
        pytest.param(
            DeliverySpec(format="xml"), "invalid value: xml: spec.delivery.format", id="format"
        ),
        pytest.param(
            DeliverySpec(dead_letter_sink=Destination()),
            "expected at least one, got none: spec.delivery.deadLetterSink.ref,"
            " spec.delivery.deadLetterSink.uri",
            id="dead-letter-sink",
        ),
    ],
)
def test_validation(delivery: DeliverySpec, text: str) -> None:
    assert errors(delivery, "delivery-timeout") == text


def test_a_timeout_can_be_switched_off() -> None:
    text = "must not set the field(s): spec.delivery.timeout"
    assert errors(DeliverySpec(timeout="PT5S")) == text


def test_retry_after_is_accepted_behind_its_flag_but_not_negative() -> None:
    flag = "delivery-retryafter"
    assert errors(DeliverySpec(retry_after_max="PT0S"), flag) == ""
    assert errors(DeliverySpec(retry_after_max="-PT5S"), flag) == (
        "invalid value: -PT5S: spec.delivery.retryAfterMax"
    )


def test_the_dead_letter_sink_lies_in_the_namespace_of_its_owner() -> None:
    sink = Destination(ref=KReference(api_version="v1", kind="Service", name="graveyard"))
    delivery = defaulted(DeliverySpec(dead_letter_sink=sink), "shop")
    assert delivery is not None
    assert delivery.dead_letter_sink is not None
    assert delivery.dead_letter_sink.ref is not None
    assert delivery.dead_letter_sink.ref.namespace == "shop"
