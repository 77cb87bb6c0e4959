"""Subscription: events of a channel go to a subscriber, and its answers go to a reply.

Source: knative/eventing ``pkg/apis/messaging/v1/subscription_*.go``,
``subscribable_channelable_validation.go``; Eventing reference §6.
"""

import msgspec

from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventingfeatures import CROSS_NAMESPACE_LINKS
from knlite.kinds.eventing import delivery, destination
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, differences
from knlite.kinds.fielderror import Errors, FieldError, disallowed, generic, missing, under
from knlite.kinds.kreference import Enabled, KReference, reference_validated
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

REFERENCES_RESOLVED = "ReferencesResolved"
ADDED_TO_CHANNEL = "AddedToChannel"
CHANNEL_READY = "ChannelReady"
OIDC_IDENTITY_CREATED = "OIDCIdentityCreated"

CONDITIONS = ConditionSet(
    (REFERENCES_RESOLVED, ADDED_TO_CHANNEL, CHANNEL_READY, OIDC_IDENTITY_CREATED)
)

FINALIZER = "subscriptions.messaging.knative.dev"


class SubscriptionSpec(Fields):
    channel: KReference = KReference()
    subscriber: Destination | None = None
    reply: Destination | None = None
    delivery: DeliverySpec | None = None


class PhysicalSubscription(DeliveryStatus):
    """What the references of the spec have turned out to be."""

    subscriber_uri: str = ""
    subscriber_ca_certs: str | None = msgspec.field(default=None, name="subscriberCACerts")
    subscriber_audience: str | None = None
    reply_uri: str = ""
    reply_ca_certs: str | None = msgspec.field(default=None, name="replyCACerts")
    reply_audience: str | None = None


class SubscriptionStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    physical_subscription: PhysicalSubscription = PhysicalSubscription()
    auth: AuthStatus | None = None


class Subscription(Object):
    """Who gets the events of a channel."""

    spec: SubscriptionSpec = SubscriptionSpec()
    status: SubscriptionStatus = SubscriptionStatus()


def said(target: Destination | None) -> Destination | None:
    """*target*, unless it is empty: that counts as absent, as upstream."""
    return None if target == Destination() else target


def defaulted(obj: Subscription, old: Subscription | None, config: Config) -> Subscription:
    """*obj* with its namespace in references that name none, except for the channel's."""
    spec, namespace = obj.spec, obj.metadata.namespace
    return msgspec.structs.replace(
        obj,
        spec=msgspec.structs.replace(
            spec,
            subscriber=spec.subscriber and destination.defaulted(spec.subscriber, namespace),
            reply=spec.reply and destination.defaulted(spec.reply, namespace),
            delivery=delivery.defaulted(spec.delivery, namespace),
        ),
    )


def validated(obj: Subscription, old: Subscription | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    errors = [*name_errors(obj), *under("spec", _spec_validated(obj.spec, config))]
    if old is not None:
        difference = differences(
            "{v1.SubscriptionSpec}.Channel", old.spec.channel, obj.spec.channel
        )
        if difference:
            errors.append(generic(IMMUTABLE_CHANGED, "spec", details=difference))
    return tuple(errors)


def _spec_validated(spec: SubscriptionSpec, config: Config) -> Errors:
    enabled = config.eventing.enabled
    if spec.channel == KReference():
        return (missing("channel", details="the Subscription must reference a channel"),)
    errors: list[FieldError] = list(under("channel", _channel_validated(spec.channel, enabled)))
    subscriber, reply = said(spec.subscriber), said(spec.reply)
    if subscriber is None:
        text = "the Subscription must reference a subscriber"
        errors.append(missing("subscriber", details=text))
    else:
        errors.extend(under("subscriber", destination.validated(subscriber, enabled)))
    if reply is not None:
        errors.extend(under("reply", destination.validated(reply, enabled)))
    errors.extend(under("delivery", delivery.validated(spec.delivery, enabled)))
    return tuple(errors)


def _channel_validated(channel: KReference, enabled: Enabled) -> Errors:
    errors = reference_validated(channel, enabled)
    if not channel.namespace or enabled(CROSS_NAMESPACE_LINKS):
        return errors
    details = (
        "only name, apiVersion and kind are supported fields when"
        " feature.CrossNamespaceEventLinks is disabled"
    )
    return (*errors, disallowed("namespace", details=details))
