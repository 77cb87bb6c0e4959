"""Which EventPolicies apply to an object that takes events, and the condition that follows.

A policy applies when it lies in the same namespace and names the object, selects it by its labels,
or names no target at all. Versions and the case of words do not count.

Source: knative/eventing ``pkg/auth/event_policy.go``; Eventing reference §1.6.
"""

from collections.abc import Iterator

from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import ConditionEditor, is_true
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.eventing.eventpolicy import EventPolicy, PolicyTarget
from knlite.kinds.meta import Object
from knlite.kinds.selectors import matches
from knlite.reconcile import View

API_VERSION = "eventing.knative.dev/v1alpha1"


def applied_policies(
    obj: Object, conditions: ConditionEditor, view: View
) -> tuple[AppliedPolicy, ...]:
    """What ``status.policies`` of *obj* is to say; marks EventPoliciesReady in *conditions*."""
    ready: list[AppliedPolicy] = []
    unready: list[str] = []
    for policy in applying(obj, view):
        if is_true(policy.status.conditions):
            ready.append(AppliedPolicy(api_version=API_VERSION, name=policy.metadata.name))
        else:
            unready.append(policy.metadata.name)
    if unready:
        text = f"event policies {', '.join(unready)} are not ready"
        conditions.false(EVENT_POLICIES_READY, "EventPoliciesNotReady", text)
    elif ready:
        conditions.true(EVENT_POLICIES_READY)
    else:
        conditions.true(EVENT_POLICIES_READY, *_without_policies(view))
    return tuple(ready)


def applying(obj: Object, view: View) -> Iterator[EventPolicy]:
    """The policies that apply to *obj*, by name."""
    for policy in view.listed(EventPolicy, obj.metadata.namespace):
        targets = policy.spec.to
        if not targets or any(_is_meant(target, obj) for target in targets):
            yield policy


def _is_meant(target: PolicyTarget, obj: Object) -> bool:
    if target.ref is not None:
        ref = target.ref
        same = _names(ref.api_version, ref.kind, obj)
        return same and ref.name.lower() == obj.metadata.name.lower()
    selector = target.selector
    return (
        selector is not None
        and _names(selector.api_version, selector.kind, obj)
        and matches(selector, obj.metadata.labels)
    )


def _names(api_version: str, kind: str, obj: Object) -> bool:
    """Whether *api_version* and *kind* mean the kind of *obj*, whatever the version."""
    info = info_of(type(obj))
    group = api_version.rpartition("/")[0]
    return (group.lower(), kind.lower()) == (info.group.lower(), info.kind.lower())


def _without_policies(view: View) -> tuple[str, str]:
    features = view.config.eventing.features
    if not features.authentication:
        text = 'Feature "authentication-oidc" must be enabled to support Authorization'
        return "OIDCDisabled", text
    mode = features.default_authorization_mode
    shown = "-".join(word.capitalize() for word in mode.split("-"))
    return "DefaultAuthorizationMode", f'Default authz mode is "{shown}"'
