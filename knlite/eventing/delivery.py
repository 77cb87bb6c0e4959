"""What becomes of one attempt to deliver, and when the next one is due.

Source: Eventing data plane reference §2.2 (results), §3 (retries).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.eventing.delivery import DeliverySpec

UNBOUNDED = 600.0
"""Seconds one attempt may take when nothing says so.

Differs: upstream waits for ever; a program that never answers would hold its event for good.
"""

Result = Literal["delivered", "retry", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """Retries of a delivery; times in seconds."""

    retry: int = 0
    policy: Literal["", "linear", "exponential"] = ""
    delay: float | None = None
    timeout: float = UNBOUNDED
    retry_after_max: float = 0.0
    structured: bool = False
    ahead: int = 0
    """How many waits the backoff is ahead: Knative's own dispatcher begins with none (linear) or
    with one delay, those of Kafka and RabbitMQ one step later, as the API says."""


def policy_of(spec: DeliverySpec | None) -> DeliveryPolicy:
    """What a ``spec.delivery`` that admission has let in means."""
    if spec is None:
        return DeliveryPolicy()
    backoff: Literal["", "linear", "exponential"] = ""
    if spec.backoff_policy in {"linear", "exponential"}:
        backoff = "linear" if spec.backoff_policy == "linear" else "exponential"
    return DeliveryPolicy(
        retry=spec.retry or 0,
        policy=backoff,
        delay=_seconds(spec.backoff_delay),
        timeout=_seconds(spec.timeout) or UNBOUNDED,
        retry_after_max=_seconds(spec.retry_after_max) or 0.0,
        structured=spec.format == "json",
    )


def judge(status: int) -> Result:
    """What an answer with *status* means; 0 stands for no answer."""
    if 200 <= status < 300:
        return "delivered"
    if status in {0, 404, 408, 409, 429} or status >= 500:
        return "retry"
    return "failed"


def backoff(policy: DeliveryPolicy, attempt: int) -> float:
    """Seconds to wait after failed *attempt* 1, 2, … before the next one."""
    if policy.delay is None or not policy.policy:
        return 0.0
    if policy.policy == "linear":
        return max(0.0, policy.delay * (attempt - 1 + policy.ahead))
    return max(0.0, policy.delay * 2.0 ** min(attempt - 1 + policy.ahead, 30))


def wait(
    policy: DeliveryPolicy, attempt: int, status: int, retry_after: str | None, now: datetime
) -> float:
    """The same, with what the answer itself asked for."""
    seconds = backoff(policy, attempt)
    if policy.retry_after_max and status in {429, 503} and retry_after:
        asked = _retry_after(retry_after, now)
        if asked is not None:
            seconds = max(seconds, min(asked, policy.retry_after_max))
    return seconds


def _retry_after(text: str, now: datetime) -> float | None:
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_iso(text)
    except InvalidDuration:
        return None
