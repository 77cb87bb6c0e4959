"""What annotations of RabbitMQ's objects ask for their Pods: checked as upstream, and no more.

There are no such Pods here.

Source: knative-extensions/eventing-rabbitmq ``pkg/utils/resource_requirements.go``.
"""

from collections.abc import Mapping
from typing import Final

from knlite.kinds.fielderror import Errors, generic
from knlite.kinds.quantities import InvalidQuantity, parse

_PREFIX: Final = "rabbitmq.eventing.knative.dev/"
_RESOURCES: Final = ("cpu", "memory")


def validated(annotations: Mapping[str, str]) -> Errors:
    """The first that is wrong."""
    for resource in _RESOURCES:
        amounts = []
        for key in (f"{_PREFIX}{resource}-request", f"{_PREFIX}{resource}-limit"):
            if key not in annotations:
                continue
            try:
                amounts.append(parse(annotations[key]))
            except InvalidQuantity as exc:
                text = f"Failed to parse quantity from {key}"
                return (generic(text, "metadata", "annotations", key, details=str(exc)),)
        if len(amounts) > 1 and amounts[0] > amounts[1]:
            text = "request must be less than or equal to limit"
            return (generic(text, "metadata", "annotations"),)
    return ()
