"""EventPolicy: whether senders have identities at all, and whose they are that it allows.

Source: knative/eventing ``pkg/reconciler/eventpolicy``, ``pkg/auth/event_policy.go``;
Eventing reference §13, §20 (23).
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from knlite.eventing.identities import subject_of
from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.auth import AuthStatus
from knlite.kinds.eventing.eventpolicy import (
    AUTHENTICATION_ENABLED,
    CONDITIONS,
    SUBJECTS_RESOLVED,
    EventPolicy,
    PolicyReference,
)
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the EventPolicy at *key*."""
    policy = view.get(EventPolicy, key.namespace, key.name)
    if policy is None or policy.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(policy.status.conditions, now)
    names = policy.status.from_
    if view.config.eventing.features.authentication:
        conditions.true(AUTHENTICATION_ENABLED)
        try:
            names = tuple(_identities(policy, view))
            conditions.true(SUBJECTS_RESOLVED)
        except _Unresolved as exc:
            conditions.false(SUBJECTS_RESOLVED, "SubjectsNotResolved", str(exc))
    else:
        conditions.false(AUTHENTICATION_ENABLED, "OIDCAuthenticationDisabled")
    return concluded(policy, msgspec.structs.replace(policy.status, from_=names), conditions)


class _Unresolved(Exception):
    """Why a reference leads to no identity."""


def _identities(policy: EventPolicy, view: View) -> Iterator[str]:
    """Whom *policy* allows, in its order; raises ``_Unresolved``."""
    for subject in policy.spec.from_:
        if subject.ref is None:
            yield subject.sub or ""
            continue
        ref = subject.ref
        try:
            accounts = _accounts(ref, view)
        except _Unresolved as exc:
            text = f"could not resolve subjects from reference: {exc}"
            raise _Unresolved(text) from exc
        yield from (subject_of(ref.namespace, each) for each in accounts)


def _accounts(ref: PolicyReference, view: View) -> tuple[str, ...]:
    """The ServiceAccounts in whose names the object behind *ref* sends."""
    group = group_in(ref.api_version)
    kind = kind_of(group, ref.kind)
    found = None if kind is None else view.get(kind, ref.namespace, ref.name)
    if found is None:
        why = not_found(group, ref.kind, ref.name)
        text = f"failed to get object {ref.namespace}/{ref.name}: {why}"
        raise _Unresolved(f"failed to get authenticatable {ref.namespace}/{ref.name}: {text}")
    auth = getattr(getattr(found, "status", None), "auth", None)
    if not isinstance(auth, AuthStatus):
        raise _Unresolved(f".status.auth is missing in object {ref.namespace}/{ref.name}")
    if auth.service_account_names:
        return auth.service_account_names
    if not auth.service_account_name:
        text = f".status.auth.serviceAccountName is missing in object {ref.namespace}/{ref.name}"
        raise _Unresolved(text)
    return (auth.service_account_name,)
