"""What takes events for an object: the object itself, or the channel that it has made for itself.

Source: Eventing reference §5 - §7 (which channel stands behind which).
"""

from knlite.console.graph.nodes import id_of, kind_name
from knlite.console.graph.values import node_id
from knlite.eventing.channels import NoSuchChannel, backing_kind
from knlite.eventing.reconcilers.parallel import ingress_name
from knlite.eventing.reconcilers.sequence import child_name as step_name
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object
from knlite.reconcile import View


def inbox_of(obj: Object, view: View) -> str:
    """``KIND/NAMESPACE/NAME`` of what takes events for *obj*, as facts name it; empty: nothing."""
    namespace, name = obj.metadata.namespace, obj.metadata.name
    match obj:
        case Broker() | InMemoryChannel() | KafkaChannel() | KafkaSink():
            return id_of(obj)
        case Channel():
            return _behind(obj.spec.channel_template, namespace, name, view)
        case Sequence() if obj.spec.steps:
            return _of_flow(obj.spec.channel_template, namespace, step_name(name, 0), view)
        case Parallel():
            return _of_flow(obj.spec.channel_template, namespace, ingress_name(name), view)
        case _:
            return ""


def _of_flow(template: ChannelTemplate | None, namespace: str, name: str, view: View) -> str:
    """The channel that a flow makes for itself; it may ask for one behind a Channel."""
    found = _behind(template, namespace, name, view)
    between = None if found else view.get(Channel, namespace, name)
    return found if between is None else inbox_of(between, view)


def _behind(template: ChannelTemplate | None, namespace: str, name: str, view: View) -> str:
    """The channel that *template* makes; empty for a Channel, as none stands behind itself."""
    template = template or view.config.channels.template_for(namespace) or ChannelTemplate()
    try:
        return node_id(kind_name(backing_kind(template)), namespace, name)
    except NoSuchChannel:
        return ""
