"""The kinds of ``sinks.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

from knlite.kinds.columns import ADDRESS_URL, AGE, READY_COLUMNS
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.sinks import jobsink

SINKS = "sinks.knative.dev"

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=jobsink.JobSink,
        group=SINKS,
        version="v1alpha1",
        plural="jobsinks",
        categories=("all", "knative", "eventing", "sink"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=jobsink.defaulted,
        validated=jobsink.validated,
    ),
)
