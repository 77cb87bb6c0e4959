"""How a Trigger's events flow: in order or not, and how many at once, by its annotations.

Both are annotations of one broker each upstream, Kafka's and RabbitMQ's. A Trigger with RabbitMQ
that does not say how many gets one after the other, as upstream.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/trigger``,
knative-extensions/eventing-rabbitmq ``pkg/apis/eventing/v1alpha1/trigger_validation.go``; Eventing
data plane reference §7.
Differs: both hold for every class. An order that is none is refused at once, where the Kafka broker
takes it and says so in the status.
"""

import re
from collections.abc import Mapping

from knlite.kinds.eventing.brokerclass import RABBITMQ_CLASS
from knlite.kinds.fielderror import Errors, FieldError, generic, out_of_bounds
from knlite.kinds.labels import DELIVERY_ORDER, PARALLELISM

DEFAULT_PARALLELISM = 100
ONE_BY_ONE = 1
MAX_PARALLELISM = 1000

_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_ORDERS = ("ordered", "unordered")


def ordered(annotations: Mapping[str, str]) -> bool:
    """Whether the next event waits until the one before has ended."""
    return annotations.get(DELIVERY_ORDER, "").lower() == "ordered"


def parallelism(annotations: Mapping[str, str], broker_class: str = "") -> int:
    """How many events may be on their way at once; with RabbitMQ one, unless more are asked for."""
    standard = ONE_BY_ONE if broker_class == RABBITMQ_CLASS else DEFAULT_PARALLELISM
    if PARALLELISM not in annotations:
        return standard
    number = _integer(annotations[PARALLELISM])
    in_bounds = isinstance(number, int) and 1 <= number <= MAX_PARALLELISM
    return int(number) if in_bounds else standard


def prefetch(annotations: Mapping[str, str]) -> int:
    """How many events a server hands out before the first is done; 0: nobody has said so.

    Upstream's RabbitMQ hands out 100, whatever the parallelism.
    """
    return parallelism(annotations) if PARALLELISM in annotations else 0


def validated(annotations: Mapping[str, str]) -> Errors:
    """What is wrong with them, in the words of the broker whose annotation it is."""
    errors: list[FieldError] = []
    order = annotations.get(DELIVERY_ORDER)
    if order is not None and order.lower() not in _ORDERS:
        text = (
            f"invalid annotation {DELIVERY_ORDER} value: {order}."
            ' Allowed values [ "ordered" | "unordered" ]'
        )
        errors.append(generic(text, f"metadata.annotations[{DELIVERY_ORDER}]"))
    if PARALLELISM in annotations:
        number = _integer(annotations[PARALLELISM])
        if isinstance(number, str):
            text = "Failed to parse valid int from parallelismAnnotation"
            errors.append(generic(text, "metadata", "annotations", PARALLELISM, details=number))
        elif not 1 <= number <= MAX_PARALLELISM:
            errors.append(out_of_bounds(number, 1, MAX_PARALLELISM, PARALLELISM))
    return tuple(errors)


def _integer(text: str) -> int | str:
    """The number that *text* is, or what Go says of it."""
    # Python refuses to read very long numbers.
    if _NUMBER.fullmatch(text) is None or len(text) > 30:
        why = "value out of range" if _NUMBER.fullmatch(text) else "invalid syntax"
        return f'strconv.Atoi: parsing "{text}": {why}'
    number = int(text)
    return number if number in _INT64 else f'strconv.Atoi: parsing "{text}": value out of range'
