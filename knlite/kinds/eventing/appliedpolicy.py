"""AppliedPolicy: an EventPolicy that applies to an object, as the status of that object names it.

Source: knative/eventing ``pkg/apis/duck/v1/auth_types.go``; Eventing reference §1.6.
Not here: the policy itself (``eventpolicy.py``), which of them apply (``eventing/policies.py``).
"""

from typing import Final

from knlite.kinds.meta import Fields

EVENT_POLICIES_READY: Final = "EventPoliciesReady"
"""The condition that everything has which can be addressed by events."""


class AppliedPolicy(Fields):
    """Names an EventPolicy in the namespace of the object."""

    api_version: str
    name: str
