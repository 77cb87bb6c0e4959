"""config-features of Serving: which optional fields are accepted.

Source: knative/serving ``pkg/apis/config/features.go``; Knative reference §1.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NAME = "config-features"

Flag = Literal["Enabled", "Allowed", "Disabled"]


@dataclass(frozen=True, slots=True)
class FeaturesConfig:
    """Flags that differ from the shipped defaults, by the key of the ConfigMap."""

    flags: Mapping[str, str] = field(default_factory=dict)

    def flag(self, key: str) -> str:
        """``Enabled``, ``Allowed``, ``Disabled``; secure-pod-defaults also ``AllowRootBounded``."""
        raise NotImplementedError


def parse(data: Mapping[str, str]) -> FeaturesConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    raise NotImplementedError
