"""The kinds of ``flows.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

from knlite.kinds.columns import ADDRESS_URL, AGE, READY_COLUMNS
from knlite.kinds.flows import parallel, sequence
from knlite.kinds.kindinfo import KindInfo

FLOWS = "flows.knative.dev"

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=sequence.Sequence,
        group=FLOWS,
        version="v1",
        plural="sequences",
        categories=("all", "knative", "flows"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=sequence.defaulted,
        validated=sequence.validated,
    ),
    KindInfo(
        type=parallel.Parallel,
        group=FLOWS,
        version="v1",
        plural="parallels",
        categories=("all", "knative", "flows"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=parallel.defaulted,
        validated=parallel.validated,
    ),
)
