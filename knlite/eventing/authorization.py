"""Who may send events to an object, as the data plane sees it.

Without a policy that is ready the mode of the whole cluster decides; else one of the policies has
to name the sender, and the event has to pass its filters. Between the parts of a Sequence or a
Parallel only its own Subscriptions send.

Source: knative/eventing ``pkg/auth/verifier.go``, ``pkg/reconciler/{sequence,parallel}``; Eventing
reference §1.6, §13, §16. Not here: whether a sender is who it says (``dataplane/bearer.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import EVERYTHING, filter_of_items
from knlite.eventing.filters.filter import Filter
from knlite.eventing.identities import account_of, audience_of, subject_of
from knlite.eventing.policies import applying, flow_of
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import is_true
from knlite.kinds.config import eventingfeatures
from knlite.kinds.config.bundle import EVENTING_NAMESPACE
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.eventpolicy import EventPolicy
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.reconcile import View

_FEATURES = (EVENTING_NAMESPACE, eventingfeatures.NAME)


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom one policy lets send what; ``*`` at the end of a subject is any rest."""

    policy: str
    subjects: tuple[str, ...]
    filter: Filter = EVERYTHING

    def names(self, subject: str) -> bool:
        """Whether *subject* is among those who may send."""
        return any(
            subject.startswith(each[:-1]) if each.endswith("*") else subject == each
            for each in self.subjects
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """What an object asks of its senders."""

    audience: str
    """To whom their tokens must be addressed."""
    namespace: str
    mode: str
    """``allow-same-namespace``, ``allow-all`` or ``deny-all``: what counts without grants."""
    grants: tuple[Grant, ...] = ()

    def denial(self, subject: str, event: CloudEvent | None) -> str:
        """Why *subject* may not send *event*; empty if it may.

        What is no event (None) passes no filter.
        """
        if not self.grants:
            return self._denial_by_mode(subject)
        named = [each for each in self.grants if each.names(subject)]
        if not named:
            policies = ", ".join(each.policy for each in self.grants)
            return f"{subject} is not among those whom the event policies allow: {policies}"
        if any(each.filter is EVERYTHING for each in named):
            return ""
        if event is None:
            return f"{subject} may only send events, and this is none"
        if any(each.filter.passes(event) for each in named):
            return ""
        verdicts = (f"{each.policy}: {each.filter.judge(event).why}" for each in named)
        return f"{subject} may not send such an event: {'; '.join(verdicts)}"

    def _denial_by_mode(self, subject: str) -> str:
        match self.mode:
            case "allow-all":
                return ""
            case "deny-all":
                return f"no event policy applies, and nobody may send then, {subject} neither"
            case _:
                if subject.startswith(subject_of(self.namespace, "")):
                    return ""
                return (
                    f"no event policy applies, and only ServiceAccounts of the namespace"
                    f" {self.namespace} may send then, not {subject}"
                )


def decides_about_senders(obj: Object) -> bool:
    """Whether guards may be others when *obj* has changed, beside those of *obj* itself."""
    match obj:
        case ConfigMap(metadata=meta):
            return (meta.namespace, meta.name) == _FEATURES
        case EventPolicy() | Channel() | Sequence() | Parallel():
            return True
        case _:
            return False


def guard_of(obj: Object, view: View) -> Guard | None:
    """What *obj* asks of its senders; None while identities are off, and everybody may send."""
    audience = audience_of(obj, view)
    if audience is None:
        return None
    mode = view.config.eventing.features.default_authorization_mode
    return Guard(audience, obj.metadata.namespace, mode, tuple(_grants(obj, view)))


def _grants(obj: Object, view: View) -> Iterator[Grant]:
    for policy in applying(obj, view):
        if is_true(policy.status.conditions):
            items = policy.spec.filters
            yield Grant(policy.metadata.name, policy.status.from_, filter_of_items(items))
    flow = flow_of(obj, view)
    if flow is not None:
        parts = view.owned(Subscription, flow)
        namespace = flow.metadata.namespace
        subjects = tuple(subject_of(namespace, account_of(each)) for each in parts)
        yield Grant(f"that of {info_of(type(flow)).kind} {flow.metadata.name}", subjects)
