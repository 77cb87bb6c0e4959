"""The last step of every class: a Broker gets its address, and the policies that apply to it.

Source: Eventing reference §1.6, §1.8.
"""

import msgspec

from knlite.eventing.identities import audience_of
from knlite.eventing.policies import applied_policies
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.brokerconditions import ADDRESSABLE
from knlite.reconcile import View


def addressed(
    broker: Broker, status: BrokerStatus, url: str, conditions: ConditionEditor, view: View
) -> BrokerStatus:
    """*status* with the address *url* of *broker*; marks Addressable and EventPoliciesReady."""
    conditions.true(ADDRESSABLE)
    return msgspec.structs.replace(
        status,
        address=Addressable(name="http", url=url, audience=audience_of(broker, view)),
        policies=applied_policies(broker, conditions, view),
    )
