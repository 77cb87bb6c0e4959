"""Label selectors: which labels they match, and what is wrong with one.

Source: Kubernetes ``apimachinery/pkg/apis/meta/v1/helpers.go`` (``LabelSelectorAsSelector``),
``apimachinery/pkg/labels/selector.go``, ``apimachinery/pkg/util/validation``.
"""

import re
from collections.abc import Mapping

import msgspec

from knlite.kinds.meta import Fields
from knlite.kinds.names import MAX_LABEL, subdomain_1123_problems

_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", re.ASCII)
_NAME_PART_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    " '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


class LabelSelectorRequirement(Fields):
    """One comparison: ``In`` and ``NotIn`` have values, ``Exists`` and ``DoesNotExist`` none."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(Fields):
    """All of its parts must hold; an empty one matches everything."""

    match_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether an object with *labels* is selected.

    A selector that ``problems`` complains about matches nothing.
    """
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _holds(requirement, labels) for requirement in selector.match_expressions
    )


def problems(selector: LabelSelector) -> tuple[str, ...]:
    """Why *selector* cannot be evaluated, in Kubernetes' words; empty if it can."""
    found: list[str] = []
    for key, value in selector.match_labels.items():
        found.extend(_key_problems(key))
        found.extend(_value_problems(value, f"values[0][{key}]"))
    for requirement in selector.match_expressions:
        found.extend(_requirement_problems(requirement))
    return tuple(found)


def qualified_name_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not a name with an optional DNS prefix (``example.com/name``)."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return (
            f"a qualified name {_NAME_PART_TEXT} with an optional DNS subdomain prefix and '/'"
            " (e.g. 'example.com/MyName')",
        )
    found: list[str] = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found.extend(f"prefix part {problem}" for problem in subdomain_1123_problems(prefix))
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > MAX_LABEL:
        found.append(f"name part must be no more than {MAX_LABEL} characters")
    if not _NAME_PART.fullmatch(name):
        found.append(f"name part {_NAME_PART_TEXT}")
    return tuple(found)


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value is not None and value in requirement.values
        case "NotIn":
            # An absent label is not among the values either.
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


def _requirement_problems(requirement: LabelSelectorRequirement) -> tuple[str, ...]:
    values = requirement.values
    shown = "[]string{" + ", ".join(f'"{value}"' for value in values) + "}"
    found = list(_key_problems(requirement.key))
    match requirement.operator:
        case "In" | "NotIn":
            if not values:
                found.append(
                    f"values: Invalid value: {shown}: for 'in', 'notin' operators, values set"
                    " can't be empty"
                )
        case "Exists" | "DoesNotExist":
            if values:
                found.append(
                    f"values: Invalid value: {shown}: values set must be empty for exists and does"
                    " not exist"
                )
        case other:
            return (f'"{other}" is not a valid label selector operator',)
    for index, value in enumerate(values):
        found.extend(_value_problems(value, f"values[{index}][{requirement.key}]"))
    return tuple(found)


def _key_problems(key: str) -> tuple[str, ...]:
    found = qualified_name_problems(key)
    return (f'key: Invalid value: "{key}": {"; ".join(found)}',) if found else ()


def _value_problems(value: str, path: str) -> tuple[str, ...]:
    found = []
    if len(value) > MAX_LABEL:
        found.append(f"must be no more than {MAX_LABEL} characters")
    if value and not _NAME_PART.fullmatch(value):
        found.append(_VALUE_TEXT)
    return (f'{path}: Invalid value: "{value}": {"; ".join(found)}',) if found else ()
