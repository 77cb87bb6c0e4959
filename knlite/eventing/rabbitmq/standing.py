"""Conditions of what stands on a server: what the engine tells, and what it cannot know.

ExchangeReady belongs to the engine (``facts.LogStanding``), who tells it when it changes. While it
is not known which server is meant, the engine tells nothing, or goes on with the one that it has
known; so that is said in SecretReady, and in ExchangeReady only if the engine has not spoken.

Source: Eventing delivery reference §16.
"""

from knlite.eventing.backing import Problem
from knlite.eventing.rabbitmq.resources import (
    CREDENTIALS_UNAVAILABLE,
    NO_EXCHANGE,
    NO_SECRET,
    SECRET_FAILURE,
)
from knlite.kinds.conditions import Condition, ConditionEditor
from knlite.kinds.eventing.brokerconditions import EXCHANGE_READY, SECRET_READY


def server_unknown(problem: Problem, conditions: ConditionEditor) -> None:
    """It is not known which server is meant."""
    conditions.false(SECRET_READY, SECRET_FAILURE, problem.message)
    standing = conditions.get(EXCHANGE_READY)
    # The engine gives a reason, also for what is being set up.
    untold = standing is None or (standing.status == "Unknown" and not standing.reason)
    if untold or _is_ours(standing):
        conditions.false(EXCHANGE_READY, CREDENTIALS_UNAVAILABLE, problem.message)


def server_known(conditions: ConditionEditor) -> bool:
    """It is known; returns whether all is ready there."""
    conditions.true(SECRET_READY)
    standing = conditions.get(EXCHANGE_READY)
    if _is_ours(standing):
        conditions.unknown(EXCHANGE_READY)
    return conditions.is_true(EXCHANGE_READY)


def _is_ours(standing: Condition | None) -> bool:
    """Whether it was said here; the engine has the same reason where a server lets nobody in."""
    return (
        standing is not None
        and standing.reason == CREDENTIALS_UNAVAILABLE
        and standing.message.startswith((NO_EXCHANGE, NO_SECRET))
    )
