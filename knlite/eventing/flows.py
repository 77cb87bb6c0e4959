"""What Sequences and Parallels have in common: they own channels and Subscriptions.

Children are made if they are not there, and taken as they are if somebody else has made them.
Subscriptions follow the spec; one that would need another channel is made anew. What is owned and
not needed any more goes.

Differs: channels that a flow owns also go when its template asks for another kind.

Source: knative/eventing ``pkg/reconciler/{sequence,parallel}``; Eventing reference §7.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from knlite.eventing.channels import BACKING_CHANNELS, Channelable, channel_kind, made_from
from knlite.kinds.auth import AuthStatus
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import Condition, find, is_true
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.flows.flowstatus import FlowSubscriptionStatus
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging import subscription
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.messaging.subscription import Subscription, SubscriptionSpec
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.ownership import owned_by
from knlite.reconcile import Change, Create, Delete, Update, View, key_of


class BadSubscription(ValueError):
    """A Subscription would be refused; the text says why."""


@dataclass(slots=True)
class Children:
    """The children of *owner*, and the changes that bring them about."""

    owner: Object
    template: ChannelTemplate
    view: View
    changes: list[Change] = field(default_factory=list)
    _wanted: set[tuple[type[Object], str]] = field(default_factory=set)

    def channel(self, name: str) -> Channelable:
        """The channel *name* as it is, or as it will be; raises ``NoSuchChannel``."""
        kind = channel_kind(self.template)
        self._wanted.add((kind, name))
        found: Channelable | None = self.view.get(kind, self.owner.metadata.namespace, name)
        if found is not None:
            return found
        made = made_from(self.template, name, self.owner)
        self.changes.append(Create(made))
        return made

    def subscription(
        self,
        name: str,
        *,
        channel: str,
        subscriber: Destination,
        reply: Destination | None,
        delivery: DeliverySpec | None,
    ) -> Subscription:
        """The Subscription *name* of *channel* as it is; raises ``BadSubscription``."""
        namespace = self.owner.metadata.namespace
        self._wanted.add((Subscription, name))
        expected = Subscription(
            metadata=ObjectMeta(
                name=name, namespace=namespace, owner_references=owned_by(self.owner)
            ),
            spec=SubscriptionSpec(
                channel=KReference(
                    api_version=self.template.api_version, kind=self.template.kind, name=channel
                ),
                subscriber=subscriber,
                reply=reply,
                delivery=delivery,
            ),
        )
        expected = subscription.defaulted(expected, None, self.view.config)
        errors = subscription.validated(expected, None, self.view.config)
        if errors:
            raise BadSubscription(rendered(errors))
        found = self.view.get(Subscription, namespace, name)
        if found is None:
            self.changes.append(Create(expected))
            return expected
        if found.metadata.deletion_timestamp is not None:
            # It is made anew as soon as it has gone.
            return msgspec.structs.replace(expected, status=found.status)
        if found.spec.channel != expected.spec.channel:
            self.changes.append(Delete(key_of(found)))
        elif found.spec != expected.spec:
            self.changes.append(Update(msgspec.structs.replace(found, spec=expected.spec)))
        return found

    def channel_target(self, name: str) -> Destination:
        """The channel *name* as the target of a Subscription."""
        return Destination(
            ref=KReference(
                api_version=self.template.api_version,
                kind=self.template.kind,
                namespace=self.owner.metadata.namespace,
                name=name,
            )
        )

    def remove_surplus(self) -> None:
        """Delete what is owned and was not asked for, Subscriptions before their channels."""
        owned: Iterable[Object] = (
            *self.view.owned(Subscription, self.owner),
            *self.view.owned(Channel, self.owner),
            *(each for kind in BACKING_CHANNELS for each in self.view.owned(kind, self.owner)),
        )
        self.changes += (
            Delete(key_of(child))
            for child in owned
            if (type(child), child.metadata.name) not in self._wanted
            and child.metadata.deletion_timestamp is None
        )


def reference_to(child: Object) -> ObjectReference:
    """How a status names *child*."""
    info = info_of(type(child))
    return ObjectReference(
        api_version=info.api_version,
        kind=info.kind,
        namespace=child.metadata.namespace,
        name=child.metadata.name,
    )


def no_ready(kind: str) -> Condition:
    """What is said of a child that has not said anything yet."""
    text = f"{kind} does not have Ready condition"
    return Condition(type="Ready", status="Unknown", reason="NoReady", message=text)


def all_ready(subscriptions: Sequence[Subscription]) -> bool:
    """Whether there are *subscriptions*, and each is ready."""
    return bool(subscriptions) and all(is_true(each.status.conditions) for each in subscriptions)


def auth_of(subscriptions: Iterable[Subscription]) -> AuthStatus | None:
    """In whose names the parts of a flow send; None while they have none."""
    auths = (each.status.auth for each in subscriptions)
    names = tuple(
        auth.service_account_name
        for auth in auths
        if auth is not None and auth.service_account_name
    )
    return AuthStatus(service_account_names=names) if names else None


def subscription_status(child: Subscription, absent: Condition | None) -> FlowSubscriptionStatus:
    """What the status of its flow says of *child*; *absent* if it has no Ready condition."""
    ready = find(child.status.conditions) or absent
    return FlowSubscriptionStatus(subscription=reference_to(child), ready=ready)
