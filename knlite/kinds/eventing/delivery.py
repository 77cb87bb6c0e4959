"""DeliverySpec: retries, backoff, timeout and dead letter sink of a delivery.

Source: knative/eventing ``pkg/apis/duck/v1/delivery_types.go``; Eventing reference §1.5, Eventing
data plane reference §3.4 (durations). Not here: what follows from it for an event
(``knlite/eventing/delivery.py``).
"""

import msgspec

from knlite.kinds.config.eventingfeatures import DELIVERY_RETRY_AFTER, DELIVERY_TIMEOUT
from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import Errors, FieldError, disallowed, invalid, under
from knlite.kinds.kreference import Enabled
from knlite.kinds.meta import Fields, Int32


class DeliverySpec(Fields):
    """Durations are ISO 8601 text; None means not set, which is not the same as zero."""

    dead_letter_sink: Destination | None = None
    retry: Int32 | None = None
    timeout: str | None = None
    backoff_policy: str | None = None
    backoff_delay: str | None = None
    retry_after_max: str | None = None
    format: str | None = None


DEAD_LETTER_SINK_RESOLVED = "DeadLetterSinkResolved"


class DeliveryStatus(Fields):
    """What became of the dead letter sink; inlined in several statuses."""

    dead_letter_sink_uri: str = ""
    dead_letter_sink_ca_certs: str | None = msgspec.field(
        default=None, name="deadLetterSinkCACerts"
    )
    dead_letter_sink_audience: str | None = None


def defaulted(delivery: DeliverySpec | None, namespace: str) -> DeliverySpec | None:
    """*delivery* with its dead letter sink in *namespace* unless that names another one."""
    if delivery is None or delivery.dead_letter_sink is None:
        return delivery
    sink = destination.defaulted(delivery.dead_letter_sink, namespace)
    return msgspec.structs.replace(delivery, dead_letter_sink=sink)


def validated(delivery: DeliverySpec | None, enabled: Enabled, within: str = "") -> Errors:
    """What is wrong with *delivery*; paths are relative to it.

    Its dead letter sink must lie in the namespace *within*, unless that is empty.
    """
    if delivery is None:
        return ()
    errors: list[FieldError] = []
    if delivery.dead_letter_sink is not None:
        errors.extend(
            under(
                "deadLetterSink",
                destination.validated(delivery.dead_letter_sink, enabled, within),
            )
        )
    if delivery.retry is not None and delivery.retry < 0:
        errors.append(invalid(delivery.retry, "retry"))
    if delivery.timeout is not None:
        if not enabled(DELIVERY_TIMEOUT):
            errors.append(disallowed("timeout"))
        elif _seconds(delivery.timeout) in {None, 0.0}:
            errors.append(invalid(delivery.timeout, "timeout"))
    if delivery.backoff_policy not in {None, "linear", "exponential"}:
        errors.append(invalid(delivery.backoff_policy, "backoffPolicy"))
    if delivery.backoff_delay is not None and _seconds(delivery.backoff_delay) is None:
        errors.append(invalid(delivery.backoff_delay, "backoffDelay"))
    errors.extend(_retry_after_validated(delivery.retry_after_max, enabled))
    if delivery.format not in {None, "json", "binary"}:
        errors.append(invalid(delivery.format, "format"))
    return tuple(errors)


def in_go(delivery: DeliverySpec | None) -> str:
    """*delivery* as it stands in errors that show a whole value (see ``destination.in_go``)."""
    return "<nil>" if delivery is None else f"&{msgspec.json.encode(delivery).decode()}"


def _retry_after_validated(longest: str | None, enabled: Enabled) -> Errors:
    if longest is None:
        return ()
    if not enabled(DELIVERY_RETRY_AFTER):
        return (disallowed("retryAfterMax"),)
    seconds = _seconds(longest)
    return (invalid(longest, "retryAfterMax"),) if seconds is None or seconds < 0 else ()


def _seconds(text: str) -> float | None:
    """None for what is no duration."""
    try:
        return parse_iso(text)
    except InvalidDuration:
        return None
