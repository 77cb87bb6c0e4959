"""How an object stands, as the one of its conditions tells that all others add up to. Pure.

Source: Kubernetes API conventions (conditions); Knative reference §1.11.
"""

from typing import Literal, NamedTuple

from knlite.kinds.conditions import READY, find
from knlite.kinds.meta import Object

Told = Literal["True", "False", "Unknown", ""]
_TELLING = (READY, "Available", "Complete")
"""Knative's kinds have the first, Deployments the second, Jobs the third."""


class Standing(NamedTuple):
    """All empty for what has no such condition, or none yet."""

    status: Told = ""
    reason: str = ""
    message: str = ""


def standing(obj: Object) -> Standing:
    """How *obj* stands."""
    conditions = getattr(getattr(obj, "status", None), "conditions", None) or ()
    for name in _TELLING:
        found = find(conditions, name)
        if found is not None:
            return Standing(found.status, found.reason, found.message)
    return Standing()
