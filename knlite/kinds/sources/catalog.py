"""The kinds of ``sources.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

import msgspec

from knlite.kinds.columns import AGE, READY_COLUMNS, Column, status_of
from knlite.kinds.kindinfo import KindInfo, OtherVersion
from knlite.kinds.sources import (
    apiserversource,
    container,
    kafkasource,
    pingsource,
    rabbitmqsource,
    sinkbinding,
)

SOURCES = "sources.knative.dev"


def _listed(texts: tuple[str, ...]) -> str:
    """As kubectl shows a list of texts."""
    return msgspec.json.encode(texts).decode()


KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=sinkbinding.SinkBinding,
        group=SOURCES,
        version="v1",
        plural="sinkbindings",
        categories=("all", "knative", "sources", "bindings"),
        columns=(Column("Sink", status_of("sink_uri")), AGE, *READY_COLUMNS),
        defaulted=sinkbinding.defaulted,
        validated=sinkbinding.validated,
    ),
    KindInfo(
        type=pingsource.PingSource,
        group=SOURCES,
        version="v1",
        plural="pingsources",
        categories=("all", "knative", "sources"),
        columns=(
            Column("Sink", status_of("sink_uri")),
            Column("Schedule", lambda obj: obj.spec.schedule),
            AGE,
            *READY_COLUMNS,
        ),
        defaulted=pingsource.defaulted,
        validated=pingsource.validated,
        others=(OtherVersion(version="v1beta2"),),
    ),
    KindInfo(
        type=apiserversource.ApiServerSource,
        group=SOURCES,
        version="v1",
        plural="apiserversources",
        categories=("all", "knative", "sources"),
        columns=(Column("Sink", status_of("sink_uri")), AGE, *READY_COLUMNS),
        defaulted=apiserversource.defaulted,
        validated=apiserversource.validated,
    ),
    KindInfo(
        type=container.ContainerSource,
        group=SOURCES,
        version="v1",
        plural="containersources",
        categories=("all", "knative", "sources"),
        columns=(Column("Sink", status_of("sink_uri")), AGE, *READY_COLUMNS),
        defaulted=container.defaulted,
        validated=container.validated,
    ),
    KindInfo(
        type=rabbitmqsource.RabbitmqSource,
        group=SOURCES,
        version="v1alpha1",
        plural="rabbitmqsources",
        short_names=("rmqsource",),
        categories=("all", "knative", "eventing", "sources", "importers"),
        defaulted=rabbitmqsource.defaulted,
        validated=rabbitmqsource.validated,
    ),
    KindInfo(
        type=kafkasource.KafkaSource,
        group=SOURCES,
        version="v1",
        plural="kafkasources",
        categories=("all", "knative", "eventing", "sources"),
        columns=(
            Column("Topics", lambda obj: _listed(obj.spec.topics)),
            Column("BootstrapServers", lambda obj: _listed(obj.spec.bootstrap_servers)),
            *READY_COLUMNS,
            AGE,
        ),
        defaulted=kafkasource.defaulted,
        validated=kafkasource.validated,
        others=(OtherVersion(version="v1beta1"),),
    ),
)
