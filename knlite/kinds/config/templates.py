"""Go's text templates, as far as configuration uses them: fields and keys of labels.

Understood are ``{{.Name}}`` and ``{{index .Labels "key"}}`` (or ``.Annotations``), which is what
Knative documents for its ConfigMaps.

Source: Go ``text/template``; Knative reference §5.1, §1.7.
Differs: pipelines, conditions and functions are refused when the ConfigMap is written, in words
that name the expression.
"""

import re
from collections.abc import Mapping

from knlite.kinds.config.values import ConfigInvalid

LONGEST = 1_000
"""Letters of a template; the name that it gives has 253 at most."""

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_FIELD = re.compile(r"\.([A-Za-z]+)")
_INDEX = re.compile(r'index\s+\.(Labels|Annotations)\s+"([^"]*)"')


def fill(
    template: str,
    fields: Mapping[str, str],
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> str:
    """*template* with its expressions replaced; raises ``ConfigInvalid`` for one it cannot be."""

    if len(template) > LONGEST:
        raise ConfigInvalid(f"a template has more than {LONGEST} letters")

    def value(match: re.Match[str]) -> str:
        indexed = _INDEX.fullmatch(match[1])
        if indexed is not None:
            return ((labels if indexed[1] == "Labels" else annotations) or {}).get(indexed[2], "")
        field = _FIELD.fullmatch(match[1])
        if field is None or field[1] not in fields:
            known = ", ".join(f"{{{{.{name}}}}}" for name in fields)
            raise ConfigInvalid(f"{match[0]} is not understood in a template; known are {known}")
        return fields[field[1]]

    return _EXPRESSION.sub(value, template)
