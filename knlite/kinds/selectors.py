"""Label selectors: which labels they match, and what is wrong with one.

Source: Kubernetes ``apimachinery/pkg/apis/meta/v1/helpers.go`` (``LabelSelectorAsSelector``),
``apimachinery/pkg/labels/selector.go``.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.meta import Fields
from knlite.kinds.names import label_value_problems, qualified_name_problems


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
    found = label_value_problems(value)
    return (f'{path}: Invalid value: "{value}": {"; ".join(found)}',) if found else ()
