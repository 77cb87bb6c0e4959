"""Go's text templates, as far as configuration uses them: fields and keys of labels.

Understood are ``{{.Name}}`` and ``{{index .Labels "key"}}`` (or ``.Annotations``), which is what
Knative documents for its ConfigMaps.

Source: Go ``text/template``; Knative reference §5.1, §1.7.
Differs: pipelines, conditions and functions are refused when the ConfigMap is written, in words
that name the expression.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

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
    parts = []
    for text, expression, field, entries, key in _parts(template):
        parts.append(text)
        if entries:
            parts.append(((labels if entries == "Labels" else annotations) or {}).get(key, ""))
        elif field in fields:
            parts.append(fields[field])
        elif expression:
            known = ", ".join(f"{{{{.{name}}}}}" for name in fields)
            raise ConfigInvalid(f"{expression} is not understood in a template; known are {known}")
    return "".join(parts)


@lru_cache(maxsize=16)
def _parts(template: str) -> tuple[tuple[str, str, str, str, str], ...]:
    """Plain text, the expression after it, and what that names: a field, or a key of entries."""
    parts, end = [], 0
    for match in _EXPRESSION.finditer(template):
        indexed, field = _INDEX.fullmatch(match[1]), _FIELD.fullmatch(match[1])
        entries, key = (indexed[1], indexed[2]) if indexed is not None else ("", "")
        name = field[1] if field is not None else ""
        parts.append((template[end : match.start()], match[0], name, entries, key))
        end = match.end()
    parts.append((template[end:], "", "", "", ""))
    return tuple(parts)
