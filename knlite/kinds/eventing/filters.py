"""Filters of the CloudEvents Subscriptions API, as Triggers, sources and policies write them.

Source: knative/eventing ``pkg/apis/eventing/v1/trigger_{types,validation}.go``; Eventing data plane
reference §5.4.
Differs: an unknown dialect is refused even where other unknown fields are pruned, since a filter
without a dialect lets everything through. CESQL that mixes AND, OR and XOR gets a warning.
Not here: what they mean for an event (``knlite/eventing/filters``).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

import msgspec

from knlite.kinds.cesql.parser import parse
from knlite.kinds.cesql.syntax import Logic, NotCESQL, mixed
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, invalid_key, under
from knlite.kinds.meta import Fields

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_ATTRIBUTE_TEXT = (
    "Attribute name must start with a letter and can only contain lowercase alphanumeric"
)


class SubscriptionsAPIFilter(Fields):
    """One filter expression, in exactly one dialect."""

    never_pruned: ClassVar[str] = "a filter without a dialect lets every event through"

    exact: Mapping[str, str] = msgspec.field(default_factory=dict)
    prefix: Mapping[str, str] = msgspec.field(default_factory=dict)
    suffix: Mapping[str, str] = msgspec.field(default_factory=dict)
    all: tuple["SubscriptionsAPIFilter", ...] = ()
    any: tuple["SubscriptionsAPIFilter", ...] = ()
    not_: "SubscriptionsAPIFilter | None" = msgspec.field(default=None, name="not")
    cesql: str = ""


def validated(filters: Iterable[SubscriptionsAPIFilter]) -> Errors:
    """What is wrong with *filters*; paths are relative to the list."""
    errors: Errors = ()
    for index, each in enumerate(filters):
        # Upstream puts the index before the errors of all items so far, not only of this one.
        errors = under(f"[{index}]", (*errors, *_item_validated(each)))
    return errors


def names_validated(attributes: Iterable[str]) -> Errors:
    """What is wrong with names of attributes; paths are relative to the map that has them."""
    return tuple(
        invalid_key(name, f"[{name}]", _ATTRIBUTE_TEXT)
        for name in attributes
        if not _ATTRIBUTE.fullmatch(name)
    )


def _item_validated(item: SubscriptionsAPIFilter) -> Errors:
    dialects = (item.exact, item.prefix, item.suffix, item.all, item.any, item.cesql)
    errors: list[FieldError] = []
    if sum(map(bool, dialects)) + (item.not_ is not None) > 1:
        text = "multiple dialects found, filters can have only one dialect set"
        errors.append(generic(text))
    errors.extend(under("exact", names_validated(item.exact)))
    errors.extend(under("prefix", names_validated(item.prefix)))
    errors.extend(under("suffix", names_validated(item.suffix)))
    errors.extend(under("all", validated(item.all)))
    errors.extend(under("any", validated(item.any)))
    if item.not_ is not None:
        errors.extend(under("not", _item_validated(item.not_)))
    errors.extend(_cesql_validated(item.cesql))
    return tuple(errors)


def _cesql_validated(expression: str) -> Errors:
    if not expression:
        return ()
    try:
        root = parse(expression)
    except NotCESQL as exc:
        return (invalid(expression, "cesql", f"parse error: {exc}"),)
    chain = mixed(root)
    return () if chain is None else (_grouping_warning(expression, chain),)


def _grouping_warning(text: str, chain: Logic) -> FieldError:
    operands = [text[each.start : each.end] for each in chain.operands]
    *steps, last = operands
    grouped = last
    for operand, operator in zip(reversed(steps), reversed(chain.operators), strict=True):
        inner = grouped if grouped is last else f"({grouped})"
        grouped = f"{operand} {operator} {inner}"
    message = (
        "AND, OR and XOR have the same precedence and group to the right; use parentheses to say"
        " what is meant"
    )
    return replace(
        generic(message, "cesql", details=f"it is read as {grouped}"),
        level="warning",
    )
