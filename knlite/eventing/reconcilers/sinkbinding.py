"""SinkBinding: gives its subjects the address of its sink, and takes it away again at the end.

Step by step: finalizer, subjects, sink. Only full success moves the observed generation.

Differs: a sink that is gone empties ``status.sinkUri``, since the subjects lose it as well. Trust
bundles do not exist here; their condition says what it says on a cluster without them. Who writes
the Secret with the token is ``controlplane/tokensecrets.py``.

Source: knative/pkg ``webhook/psbinding/reconciler.go``, knative/eventing
``pkg/reconciler/sinkbinding``; Eventing reference §8. Not here: what binding changes, and objects
that come after their binding (``eventing/binding.py``).
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from knlite.eventing.binding import SUBJECTS, Workload, bound, selects, token_secret
from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.finalizers import held, released
from knlite.eventing.identities import OFF, identified
from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.core.job import Job, finished
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import Object
from knlite.kinds.ownership import controls
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.sinkbinding import (
    CONDITIONS,
    FINALIZER,
    OIDC_TOKEN_SECRET_CREATED,
    SINK_BINDING_AVAILABLE,
    TRUST_BUNDLE_PROPAGATED,
    SinkBinding,
    SinkBindingStatus,
)
from knlite.kinds.sources.source import OIDC_IDENTITY_CREATED, SINK_PROVIDED
from knlite.reconcile import Change, Key, Outcome, Update, UpdateStatus, View

NO_AUDIENCE = "Sink has no audience defined"
SECRET_FAILED = "Unable to reconcile OIDC token secret"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The finalizer, the subjects, and then the status of the SinkBinding at *key*."""
    binding = view.get(SinkBinding, key.namespace, key.name)
    if binding is None:
        return Outcome()
    if binding.metadata.deletion_timestamp is not None:
        return _unbound(binding, view)
    changes: list[Change] = []
    if (holding := held(binding, FINALIZER)) is not binding:
        changes.append(Update(holding))
    conditions = CONDITIONS.edit(binding.status.conditions, now)
    status = binding.status
    subjects = _available_subjects(binding, conditions, view)
    if subjects is not None:
        changes.extend(_updates(subjects, view))
        status = _with_sink(binding, conditions, view, changes)
    status = msgspec.structs.replace(status, conditions=conditions.result())
    if status != binding.status:
        changes.append(UpdateStatus(msgspec.structs.replace(binding, status=status)))
    return Outcome(tuple(changes))


def _unbound(binding: SinkBinding, view: View) -> Outcome:
    """Undo, then let go.

    Differs: a subject that cannot be changed keeps its variables. Upstream tries again for ever,
    and the binding can never be deleted.
    """
    if (free := released(binding, FINALIZER)) is binding:
        return Outcome()
    subjects = [each for each in _subjects(binding, view) if not _refusal(each, view)]
    return Outcome((*_updates(subjects, view), Update(free)))


def _available_subjects(
    binding: SinkBinding, conditions: ConditionEditor, view: View
) -> Sequence[Workload] | None:
    """The subjects, or None if they cannot be bound; a selector may match nothing."""
    subject = binding.spec.subject
    group = group_in(subject.api_version)
    if kind_of(group, subject.kind) not in SUBJECTS:
        # Differs: on a cluster DaemonSets, StatefulSets and more can be bound.
        text = (
            f"knlite cannot bind {subject.kind} of {subject.api_version}, only Service and"
            " Configuration of serving.knative.dev/v1, Deployment of apps/v1 and Job of batch/v1"
        )
        conditions.false(SINK_BINDING_AVAILABLE, "SubjectUnavailable", text)
        return None
    subjects = _subjects(binding, view)
    if subject.name and not subjects:
        text = not_found(group, subject.kind, subject.name)
        conditions.false(SINK_BINDING_AVAILABLE, "SubjectMissing", text)
        return None
    for each in subjects:
        if refusal := _refusal(each, view):
            text = f"failed binding subject {each.metadata.name}: {refusal}"
            conditions.false(SINK_BINDING_AVAILABLE, "BindingFailed", text)
            return None
    conditions.true(SINK_BINDING_AVAILABLE)
    return subjects


def _with_sink(
    binding: SinkBinding, conditions: ConditionEditor, view: View, changes: list[Change]
) -> SinkBindingStatus:
    conditions.true(TRUST_BUNDLE_PROPAGATED)
    sink = resolve(binding.spec.sink, binding.metadata.namespace, view)
    if not isinstance(sink, Resolved):
        text = f"Addressable could not be extracted from destination: {sink.message}"
        conditions.false(SINK_PROVIDED, "NoAddressable", text)
        return msgspec.structs.replace(
            binding.status, sink_uri="", sink_ca_certs=None, sink_audience=None
        )
    conditions.true(SINK_PROVIDED)
    auth, secret = _authenticated(binding, sink, conditions, view, changes)
    return msgspec.structs.replace(
        binding.status,
        observed_generation=binding.metadata.generation,
        auth=auth,
        oidc_token_secret_name=secret,
        sink_uri=sink.url,
        sink_ca_certs=sink.ca_certs,
        sink_audience=sink.audience,
    )


def _authenticated(
    binding: SinkBinding,
    sink: Resolved,
    conditions: ConditionEditor,
    view: View,
    changes: list[Change],
) -> tuple[AuthStatus | None, str | None]:
    """In whose name the subjects send, and the Secret with the token, which others write."""
    if sink.audience is None or not view.config.eventing.features.authentication:
        on = view.config.eventing.features.authentication
        reason = NO_AUDIENCE if on else OFF
        conditions.true(OIDC_IDENTITY_CREATED, reason)
        conditions.true(OIDC_TOKEN_SECRET_CREATED, reason)
        return None, None
    auth, accounts = identified(binding, OIDC_IDENTITY_CREATED, conditions, view)
    changes += accounts
    name = token_secret(binding.metadata.name)
    found = view.get(Secret, binding.metadata.namespace, name)
    if found is None:
        text = f'secret "{name}" is not there yet'
        conditions.unknown(OIDC_TOKEN_SECRET_CREATED, "TokenSecretMissing", text)
    elif not controls(binding, found):
        text = f"secret {name} not owned by SinkBinding: {binding.metadata.name}"
        conditions.false(OIDC_TOKEN_SECRET_CREATED, SECRET_FAILED, text)
    else:
        conditions.true(OIDC_TOKEN_SECRET_CREATED)
    return auth, name


def _subjects(binding: SinkBinding, view: View) -> Sequence[Workload]:
    subject = binding.spec.subject
    namespace = subject.namespace or binding.metadata.namespace
    kind = kind_of(group_in(subject.api_version), subject.kind)
    if kind is None:
        return ()
    if subject.name:
        named = view.get(kind, namespace, subject.name)
        found: tuple[Object, ...] = () if named is None else (named,)
    else:
        found = tuple(view.listed(kind, namespace))
    return tuple(
        each
        for each in found
        if isinstance(each, SUBJECTS) and (subject.name or selects(binding, each))
    )


def _updates(subjects: Sequence[Workload], view: View) -> tuple[Update, ...]:
    # What has ended reads no variables any more, and cannot be changed.
    living = [each for each in subjects if not _has_ended(each)]
    wanted = ((each, bound(each, view)) for each in living)
    return tuple(Update(new) for old, new in wanted if new != old)


def _refusal(workload: Workload, view: View) -> str:
    """What the API server would answer to binding *workload*; empty if it would do it."""
    if _has_ended(workload) or bound(workload, view) == workload:
        return ""
    name = workload.metadata.name
    match workload:
        case Job():
            return (
                f'Job.batch "{name}" is invalid: spec.template: Invalid value: field is immutable'
            )
        case Service() | Configuration() if workload.spec.template.metadata.name:
            # Its author chose the name of the revision, so the template cannot change.
            return (
                'admission webhook "validation.webhook.serving.knative.dev" denied the request:'
                " validation failed: Saw the following changes without a name change"
                " (-current +update): spec.template.metadata.name"
            )
        case _:
            return ""


def _has_ended(workload: Workload) -> bool:
    return isinstance(workload, Job) and finished(workload) is not None
