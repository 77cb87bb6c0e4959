"""JobSink: where it takes events in, and how its Jobs are found.

Source: knative/eventing ``pkg/reconciler/jobsink``; Eventing reference §13.
Not here: the Jobs (``controlplane/jobsinks.py`` makes one for each event).
"""

from datetime import datetime

import msgspec

from knlite.eventing.identities import audience_of
from knlite.eventing.policies import applied_policies
from knlite.kinds.addressable import Addressable
from knlite.kinds.sinks.jobsink import (
    ADDRESSABLE,
    CONDITIONS,
    HOST,
    NAME_LABEL,
    JobReference,
    JobSink,
)
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the JobSink at *key*."""
    sink = view.get(JobSink, key.namespace, key.name)
    if sink is None or sink.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(sink.status.conditions, now)
    conditions.true(ADDRESSABLE)
    policies = applied_policies(sink, conditions, view)
    url = f"http://{HOST}/{key.namespace}/{key.name}"
    address = Addressable(name="http", url=url, audience=audience_of(sink, view))
    status = msgspec.structs.replace(
        sink.status,
        address=address,
        addresses=(address,),
        policies=policies,
        job=JobReference(selector=f"{NAME_LABEL}={key.name}"),
    )
    return concluded(sink, status, conditions)
