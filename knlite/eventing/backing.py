"""What an engine on a server must know of a resource, whichever server it is.

Names on servers hold uids. A run without a folder gives every object another uid, and would leave
behind what the last one has made; so there they are made of the object's name.
"""

import uuid
from dataclasses import dataclass

import msgspec

from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.kinds.meta import Object, ObjectMeta
from knlite.reconcile import View

Backing = KafkaBacking | RabbitmqBacking

_NAMES = uuid.UUID("f4bb0ec2-6a0f-5d3a-8a5e-0c6a5f0b6d1e")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the backing of a resource cannot be worked out, as a condition says it."""

    reason: str
    message: str


def stable_uid(kind: str, namespace: str, name: str) -> str:
    """The same in every run for an object of this *kind* and name."""
    return str(uuid.uuid5(_NAMES, f"{kind}/{namespace}/{name}"))


def meta_on_server(obj: Object, view: View) -> ObjectMeta:
    """The metadata of *obj* with the uid that names on servers hold."""
    return msgspec.structs.replace(obj.metadata, uid=server_uid(obj, view))


def server_uid(obj: Object, view: View) -> str:
    """What names on servers hold of *obj*: its uid, if the next run knows it too."""
    meta = obj.metadata
    if view.config.durable:
        return meta.uid
    return stable_uid(type(obj).__name__, meta.namespace, meta.name)
