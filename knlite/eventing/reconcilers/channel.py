"""Channel: makes the channel that stands behind it, and shows that one's status as its own.

The channel behind it gets the delivery and the template's spec when it is made, and is not changed
any more. A channel of that name that was there before is taken as it is.

Source: knative/eventing ``pkg/reconciler/channel/channel.go``; Eventing reference §5.
"""

from datetime import datetime

import msgspec

from knlite.eventing.channels import BackingChannel, NoSuchChannel, backing_kind, made_from
from knlite.eventing.deadletters import others_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.policies import applied_policies
from knlite.kinds.conditions import ConditionEditor, find
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.channel import (
    ADDRESSABLE,
    BACKING_CHANNEL_READY,
    CONDITIONS,
    Channel,
    ChannelStatus,
)
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.reconcile import Change, Create, Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The channel behind the Channel at *key*, and its status."""
    channel = view.get(Channel, key.namespace, key.name)
    if channel is None or channel.metadata.deletion_timestamp is not None:
        return Outcome()
    changes: list[Change] = []
    conditions = CONDITIONS.edit(channel.status.conditions, now)
    status = channel.status
    template = channel.spec.channel_template or ChannelTemplate()
    try:
        kind = backing_kind(template)
        backing: BackingChannel | None = view.get(kind, key.namespace, key.name)
        if backing is None:
            made = made_from(template, key.name, channel, channel.spec.delivery)
            changes.append(Create(made))
    except NoSuchChannel as exc:
        conditions.false(BACKING_CHANNEL_READY, "ChannelFailure", str(exc))
    else:
        status = _with_backing(channel, template, backing or kind(), conditions)
        policies = applied_policies(channel, conditions, view)
        status = msgspec.structs.replace(status, policies=policies)
    return concluded(channel, status, conditions, changes)


def _with_backing(
    channel: Channel,
    template: ChannelTemplate,
    backing: BackingChannel,
    conditions: ConditionEditor,
) -> ChannelStatus:
    """The status of *backing*, which is empty if it has just been made, as that of *channel*."""
    found = backing.status
    ready = find(found.conditions)
    if ready is None:
        conditions.unknown(
            BACKING_CHANNEL_READY,
            "BackingChannelNotConfigured",
            "BackingChannel has not yet been reconciled.",
        )
    elif ready.status == "True":
        conditions.true(BACKING_CHANNEL_READY)
    else:
        conditions.copy(BACKING_CHANNEL_READY, ready)
    if found.address is None or not found.address.url:
        conditions.false(ADDRESSABLE, "EmptyHostname", "hostname is the empty string")
    else:
        conditions.true(ADDRESSABLE)
    status = msgspec.structs.replace(
        channel.status,
        channel=KReference(
            api_version=template.api_version,
            kind=template.kind,
            namespace=channel.metadata.namespace,
            name=channel.metadata.name,
        ),
        address=found.address,
        subscribers=found.subscribers,
    )
    unable = f"Backing Channel {channel.metadata.name} didn't set status.deadLetterSinkURI"
    sink = others_dead_letter_sink(channel.spec.delivery, found, unable, conditions)
    return with_dead_letter_sink(status, sink)
