"""config-sugar: for which Namespaces and Triggers a Broker is made.

Source: knative/eventing ``pkg/apis/sugar/sugar.go``; Eventing reference §15.
Not here: reading the YAML of the selectors (``registry/configmaps.py``).
"""

from dataclasses import dataclass

from knlite.kinds.codec import decode
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.selectors import LabelSelector, problems

NAME = "config-sugar"
NAMESPACE_SELECTOR = "namespace-selector"
TRIGGER_SELECTOR = "trigger-selector"
KEYS: frozenset[str] = frozenset({NAMESPACE_SELECTOR, TRIGGER_SELECTOR})


@dataclass(frozen=True, slots=True)
class SugarConfig:
    """Who gets a Broker; None is nobody, an empty selector everybody."""

    namespaces: LabelSelector | None = None
    triggers: LabelSelector | None = None


def parse(namespaces: object, triggers: object) -> SugarConfig:
    """The section that two selectors describe, decoded; None where there is none.

    Raises ``ConfigInvalid``. Differs: a selector that can never be evaluated is refused; upstream
    takes it, and then nothing is made for anybody.
    """
    return SugarConfig(
        _selector(NAMESPACE_SELECTOR, namespaces), _selector(TRIGGER_SELECTOR, triggers)
    )


def _selector(key: str, document: object) -> LabelSelector | None:
    if document is None:
        return None
    decoded = decode(LabelSelector, document, strict=False)
    if decoded.value is None:
        text = "; ".join(str(problem) for problem in decoded.problems)
        raise ConfigInvalid(f'failed to parse "{key}": {text}')
    wrong = problems(decoded.value)
    if wrong:
        raise ConfigInvalid(f'failed to parse "{key}": {", ".join(wrong)}')
    return decoded.value
