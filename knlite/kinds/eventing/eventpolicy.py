"""EventPolicy: who may send events to what, where senders say who they are.

Source: knative/eventing ``pkg/apis/eventing/v1alpha1/eventpolicy_*.go``; Eventing reference §13.
Not here: which policies apply to an object (``eventing/policies.py``).
"""

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import filters
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    generic,
    invalid,
    missing,
    neither,
    under,
)
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.selectors import LabelSelector

AUTHENTICATION_ENABLED = "AuthenticationEnabled"
SUBJECTS_RESOLVED = "SubjectsResolved"

CONDITIONS = ConditionSet((AUTHENTICATION_ENABLED, SUBJECTS_RESOLVED))

OIDC_OFF = "oidc-authentication feature not enabled"


class PolicyReference(Fields):
    """A source or a target by name. A target lies in the namespace of its policy."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class PolicySelector(LabelSelector):
    """Targets of one kind by their labels."""

    api_version: str = ""
    kind: str = ""


class PolicyTarget(Fields):
    ref: PolicyReference | None = None
    selector: PolicySelector | None = None


class PolicySubject(Fields):
    """Who may send: an object with an identity, or an identity; ``*`` at its end is any rest."""

    ref: PolicyReference | None = None
    sub: str | None = None


class EventPolicySpec(Fields):
    """No *to* is everything in the namespace, no *from_* is nobody."""

    to: tuple[PolicyTarget, ...] = ()
    from_: tuple[PolicySubject, ...] = msgspec.field(default=(), name="from")
    filters: tuple[SubscriptionsAPIFilter, ...] = ()


class EventPolicyStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    from_: tuple[str, ...] = msgspec.field(default=(), name="from")


class EventPolicy(Object):
    """Allows senders to send to targets."""

    spec: EventPolicySpec = EventPolicySpec()
    status: EventPolicyStatus = EventPolicyStatus()


def defaulted(obj: EventPolicy, old: EventPolicy | None, config: Config) -> EventPolicy:
    """*obj* with its own namespace for subjects that name none."""
    namespace = obj.metadata.namespace
    subjects = tuple(
        each
        if each.ref is None or each.ref.namespace
        else msgspec.structs.replace(
            each, ref=msgspec.structs.replace(each.ref, namespace=namespace)
        )
        for each in obj.spec.from_
    )
    return msgspec.structs.replace(obj, spec=msgspec.structs.replace(obj.spec, from_=subjects))


def validated(obj: EventPolicy, old: EventPolicy | None, config: Config) -> Errors:
    """What is wrong with *obj*; without identities of senders no policy can be made or changed."""
    changed = old is None or old.spec != obj.spec
    if changed and not config.eventing.features.authentication:
        return (generic(OIDC_OFF, ""),)
    errors: list[FieldError] = list(name_errors(obj))
    for index, subject in enumerate(obj.spec.from_):
        errors.extend(under(f"spec.from[{index}]", _subject_validated(subject)))
    for index, target in enumerate(obj.spec.to):
        errors.extend(under(f"spec.to[{index}]", _target_validated(target)))
    errors.extend(under("spec.filters", filters.validated(obj.spec.filters)))
    return tuple(errors)


def _subject_validated(subject: PolicySubject) -> Errors:
    if subject.ref is None:
        if not subject.sub:
            return (neither("ref", "sub"),)
        if "*" in subject.sub[:-1]:
            return (invalid(subject.sub, "sub", "'*' is only allowed as suffix"),)
        return ()
    errors = list(under("ref", _reference_validated(subject.ref)))
    if subject.sub is not None:
        errors.append(both("ref", "sub"))
    return tuple(errors)


def _target_validated(target: PolicyTarget) -> Errors:
    if target.ref is None:
        return (neither("ref", "selector"),) if target.selector is None else ()
    errors = list(under("ref", _reference_validated(target.ref)))
    if target.selector is not None:
        errors.append(both("ref", "selector"))
    return tuple(errors)


def _reference_validated(ref: PolicyReference) -> Errors:
    return tuple(
        missing(name)
        for name, value in (
            ("kind", ref.kind),
            ("apiVersion", ref.api_version),
            ("name", ref.name),
        )
        if not value
    )
