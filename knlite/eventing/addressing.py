"""The last step of what takes events: it gets its address, and the policies that apply to it.

Source: Eventing reference §1.6, §1.8.
"""

from typing import TypeVar

import msgspec

from knlite.eventing.identities import audience_of
from knlite.eventing.policies import applied_policies
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.brokerconditions import ADDRESSABLE
from knlite.kinds.meta import Object
from knlite.reconcile import View

S = TypeVar("S", bound=msgspec.Struct)


def addressed(
    obj: Object,
    status: S,
    url: str,
    conditions: ConditionEditor,
    view: View,
    *,
    listed: bool = False,
) -> S:
    """*status* with the address *url* of *obj*; marks Addressable and EventPoliciesReady.

    *listed*: ``status.addresses`` has it too, as Knative's components for Kafka write it.
    """
    conditions.true(ADDRESSABLE)
    address = Addressable(name="http", url=url, audience=audience_of(obj, view))
    policies = applied_policies(obj, conditions, view)
    status = msgspec.structs.replace(status, address=address, policies=policies)
    return msgspec.structs.replace(status, addresses=(address,)) if listed else status
