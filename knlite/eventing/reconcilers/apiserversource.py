"""ApiServerSource: finds its sink and its namespaces, and says that it sends.

Differs: there is no Deployment that sends, and everybody may read everything, so the service
account needs neither to exist nor to have rights. A kind that does not exist here is named in the
condition Deployed, which stays True; upstream only logs it.

Source: knative/eventing ``pkg/reconciler/apiserversource/apiserversource.go``; Eventing reference
§10.
"""

from datetime import datetime

import msgspec

from knlite.eventing.apichanges import namespaces_of, unknown_resources
from knlite.eventing.finalizers import held, released
from knlite.eventing.identities import identified
from knlite.eventing.sinks import with_sink
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.sources.apiserversource import (
    API_SERVER,
    CONDITIONS,
    FINALIZER,
    SUFFICIENT_PERMISSIONS,
    ApiServerSource,
    ApiServerSourceStatus,
    event_types,
)
from knlite.kinds.sources.source import DEPLOYED, OIDC_IDENTITY_CREATED, CloudEventAttributes
from knlite.reconcile import Change, Key, Outcome, Update, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The finalizer and the status of the ApiServerSource at *key*."""
    source = view.get(ApiServerSource, key.namespace, key.name)
    if source is None:
        return Outcome()
    if source.metadata.deletion_timestamp is not None:
        free = released(source, FINALIZER)
        return Outcome() if free is source else Outcome((Update(free),))
    changes: list[Change] = []
    if (holding := held(source, FINALIZER)) is not source:
        changes.append(Update(holding))
    conditions = CONDITIONS.edit(source.status.conditions, now)
    status = _reconciled(source, conditions, view, changes)
    return concluded(source, status, conditions, changes)


def _reconciled(
    source: ApiServerSource, conditions: ConditionEditor, view: View, changes: list[Change]
) -> ApiServerSourceStatus:
    """Step by step, in upstream's order; the first failure leaves the rest as it was."""
    auth, accounts = identified(source, OIDC_IDENTITY_CREATED, conditions, view)
    changes += accounts
    known = msgspec.structs.replace(source.status, auth=auth)
    if not conditions.is_true(OIDC_IDENTITY_CREATED):
        return known
    namespace = source.metadata.namespace
    status = with_sink(known, source.spec.sink, namespace, conditions, view)
    if status is None:
        return known
    conditions.true(SUFFICIENT_PERMISSIONS)
    unknown = unknown_resources(source)
    if unknown:
        text = f"not watched, as there are none here: {', '.join(unknown)}"
        conditions.true(DEPLOYED, "ResourcesUnknown", text)
    else:
        conditions.true(DEPLOYED)
    return msgspec.structs.replace(
        status,
        namespaces=namespaces_of(source, view),
        ce_attributes=tuple(
            CloudEventAttributes(type=each, source=API_SERVER)
            for each in event_types(source.spec.mode)
        ),
    )
