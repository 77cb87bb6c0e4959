"""How a change of immutable fields is shown: the old and the new value below the Go path of each.

Source: knative/pkg ``kmp/diff.go``, ``kmp/reporters.go`` (``ShortDiff``).
Differs: pointers are not shown in the paths.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

import msgspec

IMMUTABLE_CHANGED: Final = "Immutable fields changed (-old +new)"

_ACRONYMS = re.compile(r"(Api|Uri|Uid|Ca(?=Certs))(?![a-z])")
_ABSENT: Final = object()
_DEEPEST: Final = 16
"""Levels that are gone into; what lies deeper is shown as a whole."""


def changed(where: str, old: str | None, new: str | None) -> str:
    """The entry for one text field; empty if it did not change."""
    if old == new:
        return ""
    return f"{where}:\n\t-: {_quoted(old or '')}\n\t+: {_quoted(new or '')}\n"


def differences(where: str, old: object, new: object) -> str:
    """The entries for all that differs between the values of one field; empty if nothing does."""
    return _tree_differences(where, msgspec.to_builtins(old), msgspec.to_builtins(new), _DEEPEST)


def _tree_differences(where: str, old: object, new: object, levels: int) -> str:
    if old == new:
        return ""
    if levels == 0:
        return f"{where}:\n{_side('-', old)}{_side('+', new)}"
    match old, new:
        case Mapping(), Mapping():
            return "".join(
                _tree_differences(
                    f"{where}.{_in_go(name)}",
                    old.get(name, _ABSENT),
                    new.get(name, _ABSENT),
                    levels - 1,
                )
                for name in dict.fromkeys((*old, *new))
            )
        case list() | tuple(), list() | tuple() if len(old) == len(new):
            return "".join(
                _tree_differences(f"{where}[{index}]", *pair, levels - 1)
                for index, pair in enumerate(zip(old, new, strict=True))
            )
        case _:
            return f"{where}:\n{_side('-', old)}{_side('+', new)}"


def _side(sign: str, value: object) -> str:
    if value is _ABSENT:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"\t{sign}: {_quoted(text)}\n"


def _in_go(name: str) -> str:
    """``SubscriberURI`` for ``subscriberUri``."""
    capitalized = name[:1].upper() + name[1:]
    return _ACRONYMS.sub(lambda match: match[0].upper(), capitalized)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
