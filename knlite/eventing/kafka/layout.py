"""How topics and consumer groups are called, and which names Kafka takes.

Source: Eventing data plane reference §9.2; knative-extensions/eventing-kafka-broker
``control-plane/pkg/apis/config/features.go`` (templates); Apache Kafka ``Topic.java`` (names).
Not here: which template holds (``config-kafka-features``), nor what a template may hold
(``kinds/config/templates.py``).
"""

import re

from knlite.kinds.config.templates import fill
from knlite.kinds.meta import ObjectMeta

BROKER_TOPIC = "knative-broker-{{ .Namespace }}-{{ .Name }}"
TRIGGER_GROUP = "knative-trigger-{{ .Namespace }}-{{ .Name }}"
CHANNEL_TOPIC = "knative-messaging-kafka.{{ .Namespace }}.{{ .Name }}"

LONGEST_TOPIC = 249
_TOPIC = re.compile(r"[a-zA-Z0-9._-]+")


def named(template: str, meta: ObjectMeta, uid: str) -> str:
    """What *template* makes of an object, whose *uid* may be another on the server.

    Raises ``ConfigInvalid``.
    """
    fields = {"Namespace": meta.namespace, "Name": meta.name, "UID": uid}
    return fill(template, fields, labels=meta.labels, annotations=meta.annotations)


def subscription_group(namespace: str, channel: str, uid: str) -> str:
    """The group of a KafkaChannel's Subscription."""
    return f"kafka.{namespace}.{channel}.{uid}"


def topic_problem(name: str) -> str:
    """Why Kafka takes no topic of this *name*; empty if it does."""
    if not name:
        return "the name of a topic is empty"
    if name in {".", ".."}:
        return f"a topic cannot be called {name!r}"
    if len(name) > LONGEST_TOPIC:
        return f"the name of a topic has {len(name)} letters, and Kafka takes {LONGEST_TOPIC}"
    if _TOPIC.fullmatch(name) is None:
        return f"{name!r} is no name of a topic: letters a-z, A-Z, digits, '.', '_' and '-' are"
    return ""
