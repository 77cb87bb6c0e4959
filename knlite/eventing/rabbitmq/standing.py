"""Conditions of what stands on a server: what the engine tells, and what it cannot know.

ExchangeReady belongs to the engine (``facts.LogStanding``), who tells it when it changes. While it
is not known which server is meant, the engine tells nothing, or goes on with the one that it has
known; so that is said in SecretReady, and in ExchangeReady only if the engine has not spoken.

Source: Eventing delivery reference §16.
"""

from knlite.eventing.backing import Problem
from knlite.eventing.rabbitmq.resources import CREDENTIALS_UNAVAILABLE, SECRET_FAILURE
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.brokerconditions import EXCHANGE_READY, SECRET_READY


def server_unknown(problem: Problem, conditions: ConditionEditor) -> None:
    """It is not known which server is meant."""
    conditions.false(SECRET_READY, SECRET_FAILURE, problem.message)
    standing = conditions.get(EXCHANGE_READY)
    if standing is None or standing.status == "Unknown" or _is_ours(standing.reason):
        conditions.false(EXCHANGE_READY, CREDENTIALS_UNAVAILABLE, problem.message)


def server_known(conditions: ConditionEditor) -> bool:
    """It is known; returns whether all is ready there."""
    conditions.true(SECRET_READY)
    standing = conditions.get(EXCHANGE_READY)
    if standing is not None and _is_ours(standing.reason):
        conditions.unknown(EXCHANGE_READY)
    return conditions.is_true(EXCHANGE_READY)


def _is_ours(reason: str) -> bool:
    return reason == CREDENTIALS_UNAVAILABLE
