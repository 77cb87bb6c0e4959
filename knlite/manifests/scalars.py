"""The values of scalars of YAML, read as Kubernetes clients read them.

A date stays text, ``1:30`` is no number.

Source: YAML 1.1 as sigs.k8s.io/yaml reads it; RFC 8259 for what JSON can hold.
"""

import re
from math import isinf

import yaml

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]*|[1-9][0-9_]*)")
_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
_TRUE = frozenset(("yes", "true", "on"))


class NoValue(Exception):
    """A scalar that has none that JSON can hold; its text says why."""


def value_of(node: yaml.Node) -> object:
    """The value of the scalar *node*. Raises ``NoValue`` for numbers that no JSON decoder takes."""
    try:
        value = _scalar(node)
    except ValueError as exc:
        raise NoValue("the number has too many digits") from exc
    if isinstance(value, float) and isinf(value):
        raise NoValue("the number is too large")
    return value


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    tag = node.tag.removeprefix(_TAG)
    # A quoted scalar is text; PyYAML gives it that tag unless it carries another one by hand.
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in _TRUE
    if tag == "int" and _INTEGER.fullmatch(text):
        return _integer(text.replace("_", ""))
    if tag == "float" and _NUMBER.fullmatch(text):
        return float(text.replace("_", ""))
    if tag == "str" and not getattr(node, "style", None):
        # Numbers that YAML 1.1 in Python takes for text: 0o17, 1e3.
        if text.startswith("0o") and _INTEGER.fullmatch(text):
            return _integer(text.replace("_", ""))
        if _EXPONENT.fullmatch(text):
            return float(text)
    return text


def _integer(text: str) -> int:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1] not in "xXbBoO":
        return sign * int(digits, 8)
    return sign * int(digits, 0)
