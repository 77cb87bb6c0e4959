"""KafkaSource: finds its sink, and what its Secrets say.

Whether its group reads is said by the engine that does so.

Differs: one client reads for all the consumers that are asked for, none for none; no program is
placed anywhere. Where dead letters go is in the status, as they are not lost while that is not
known.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/source``; Eventing
reference §17.
"""

from datetime import datetime

import msgspec

from knlite.eventing.backing import Problem
from knlite.eventing.deadletters import own_dead_letter_sink
from knlite.eventing.identities import identified
from knlite.eventing.kafka.backings import kafka_source_backing_of
from knlite.eventing.sinks import with_sink
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.sources.kafkasource import (
    CONDITIONS,
    CONFIG_PARSED,
    EVENT_TYPE,
    KafkaSource,
    KafkaSourceStatus,
    event_source,
)
from knlite.kinds.sources.source import OIDC_IDENTITY_CREATED, CloudEventAttributes
from knlite.reconcile import Change, Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the KafkaSource at *key*."""
    source = view.get(KafkaSource, key.namespace, key.name)
    if source is None or source.metadata.deletion_timestamp is not None:
        return Outcome()
    changes: list[Change] = []
    conditions = CONDITIONS.edit(source.status.conditions, now)
    status = _reconciled(source, conditions, view, changes)
    return concluded(source, status, conditions, changes)


def _reconciled(
    source: KafkaSource, conditions: ConditionEditor, view: View, changes: list[Change]
) -> KafkaSourceStatus:
    """Each step by itself: what one of them finds does not hang on the others."""
    spec, meta = source.spec, source.metadata
    status = msgspec.structs.replace(
        source.status,
        consumers=1 if spec.consumers is None else spec.consumers,
        selector=(
            "eventing.knative.dev/source=kafka-source-controller,"
            f"eventing.knative.dev/sourceName={meta.name}"
        ),
        ce_attributes=tuple(
            CloudEventAttributes(
                type=EVENT_TYPE, source=f"{event_source(meta.namespace, meta.name)}#{topic}"
            )
            for topic in spec.topics
        ),
    )
    backing = kafka_source_backing_of(source, view)
    if isinstance(backing, Problem):
        conditions.false(CONFIG_PARSED, backing.reason, backing.message)
    else:
        conditions.true(CONFIG_PARSED)
    auth, accounts = identified(source, OIDC_IDENTITY_CREATED, conditions, view)
    changes += accounts
    status = msgspec.structs.replace(status, auth=auth)
    unable = "Unable to get the dead letter sink's URI"
    sink = own_dead_letter_sink(spec.delivery, meta.namespace, unable, conditions, view)
    status = msgspec.structs.replace(
        status,
        dead_letter_sink_uri="" if sink is None else sink.url,
        dead_letter_sink_ca_certs=None if sink is None else sink.ca_certs,
        dead_letter_sink_audience=None if sink is None else sink.audience,
    )
    return with_sink(status, spec.sink, meta.namespace, conditions, view) or status
