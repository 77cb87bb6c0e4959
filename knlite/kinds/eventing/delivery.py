"""DeliverySpec: retries, backoff, timeout and dead letter sink of a delivery.

Source: knative/eventing ``pkg/apis/duck/v1/delivery_types.go``; Eventing reference §1.5.
"""

import msgspec

from knlite.kinds.eventing.destination import Destination
from knlite.kinds.meta import Fields


class DeliverySpec(Fields):
    """Durations are ISO 8601 text; None means not set, which is not the same as zero."""

    dead_letter_sink: Destination | None = None
    retry: int | None = None
    timeout: str | None = None
    backoff_policy: str | None = None
    backoff_delay: str | None = None
    retry_after_max: str | None = None
    format: str | None = None


class DeliveryStatus(Fields):
    """What became of the dead letter sink; inlined in several statuses."""

    dead_letter_sink_uri: str = ""
    dead_letter_sink_ca_certs: str | None = msgspec.field(
        default=None, name="deadLetterSinkCACerts"
    )
    dead_letter_sink_audience: str | None = None
