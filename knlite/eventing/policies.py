"""Which EventPolicies apply to an object that takes events, and the condition that follows.

A policy applies when it lies in the same namespace and names the object, selects it by its labels,
or names no target at all. Versions and the case of words do not count. What applies to a Channel or
a flow applies to the channel behind it that takes its events in.

Differs: upstream makes EventPolicies for those channels out of the ones of their owners.

Source: knative/eventing ``pkg/auth/event_policy.go``; Eventing reference §1.6.
"""

from collections.abc import Iterator

from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import ConditionEditor, is_true
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.eventing.eventpolicy import EventPolicy, PolicyTarget
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.selectors import matches
from knlite.reconcile import View

API_VERSION = "eventing.knative.dev/v1alpha1"

Flow = Sequence | Parallel


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
    policies = view.listed(EventPolicy, obj.metadata.namespace)
    if not policies:
        return
    meant = (obj, *_entered_by(obj, view))
    for policy in policies:
        targets = policy.spec.to
        if not targets or any(_is_meant(target, each) for target in targets for each in meant):
            yield policy


def flow_of(obj: Object, view: View) -> Flow | None:
    """The Sequence or Parallel that *obj* is an inner channel of."""
    owner = _owner(obj, view)
    if isinstance(owner, Channel):
        return flow_of(owner, view)
    if isinstance(owner, Sequence | Parallel) and not _is_entrance(obj, owner):
        return owner
    return None


def _entered_by(obj: Object, view: View) -> Iterator[Object]:
    """Who takes its events in by the channel *obj*, from the inside outwards."""
    owner = _owner(obj, view)
    if owner is not None and (isinstance(owner, Channel) or _is_entrance(obj, owner)):
        yield owner
        yield from _entered_by(owner, view)


def _owner(obj: Object, view: View) -> Channel | Flow | None:
    if not isinstance(obj, InMemoryChannel | KafkaChannel | Channel):
        return None
    reference, namespace = controller_of(obj), obj.metadata.namespace
    if reference is None:
        return None
    match reference.kind:
        case "Channel":
            return view.get(Channel, namespace, reference.name)
        case "Sequence":
            return view.get(Sequence, namespace, reference.name)
        case "Parallel":
            return view.get(Parallel, namespace, reference.name)
        case _:
            return None


def _is_entrance(channel: Object, flow: Object) -> bool:
    """Whether events for *flow* come in by *channel*, as its status says."""
    match flow:
        case Sequence(status=status):
            first = status.channel_statuses[0] if status.channel_statuses else None
        case Parallel(status=parallel_status):
            first = parallel_status.ingress_channel_status
        case _:
            return False
    return first is not None and first.channel.name == channel.metadata.name


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
