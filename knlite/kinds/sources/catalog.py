"""The kinds of ``sources.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

from knlite.kinds.columns import AGE, READY_COLUMNS, Column, status_of
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.sources import container, sinkbinding

SOURCES = "sources.knative.dev"

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
        type=container.ContainerSource,
        group=SOURCES,
        version="v1",
        plural="containersources",
        categories=("all", "knative", "sources"),
        columns=(Column("Sink", status_of("sink_uri")), AGE, *READY_COLUMNS),
        defaulted=container.defaulted,
        validated=container.validated,
    ),
)
