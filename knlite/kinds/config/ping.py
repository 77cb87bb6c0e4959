"""config-ping-defaults: how large the data of a PingSource may be.

Source: knative/eventing ``pkg/apis/sources/config/ping_defaults.go``; Eventing reference §15.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import Values

NAME = "config-ping-defaults"
DATA_MAX_SIZE = "data-max-size"
KEYS: frozenset[str] = frozenset({DATA_MAX_SIZE})


@dataclass(frozen=True, slots=True)
class PingConfig:
    """The bounds of PingSources."""

    data_max_size: int = -1
    """Bytes of the data as it is written; below 0 there is no bound."""


def parse(data: Mapping[str, str]) -> PingConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    return PingConfig(Values(data).integer(DATA_MAX_SIZE, -1))
