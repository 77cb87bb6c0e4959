"""``labelSelector`` and ``fieldSelector``: the texts of a query as one question to an object.

Source: Kubernetes ``apimachinery/pkg/labels/selector.go`` (grammar), ``pkg/fields/selector.go``;
custom kinds can be selected by name and namespace only, core kinds by a few fields more.
"""

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from knlite.errors import InvalidInput
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object
from knlite.kinds.selectors import (
    LabelSelector,
    LabelSelectorRequirement,
    matches,
    problems,
)
from knlite.registry.watch import Predicate

_PREFIX = "unable to parse requirement: "
_SIGNS = frozenset(("==", "!=", "=", "!", "<", ">", "(", ")", ","))
_TOKEN = re.compile(r"\s*(?:(==|!=|[=!<>(),])|([^\s=!<>(),]+))")
_ESCAPED = re.compile(r"\\(.)")
_CORE_FIELDS = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase",
             "status.podIP"),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "services": ("spec.clusterIP", "spec.type"),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
               "involvedObject.uid", "involvedObject.apiVersion",
               "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
               "reportingComponent", "source", "type"),
}  # fmt: skip


def predicate(info: KindInfo, labels: str, fields: str) -> Predicate | None:
    """The question that both selectors ask; None when they select everything.

    Raises ``InvalidInput`` in Kubernetes' words.
    """
    wanted = label_selector(labels)
    terms = field_terms(info, fields)
    has_labels = bool(wanted.match_labels or wanted.match_expressions)
    if not has_labels and not terms:
        return None

    def asked(obj: Object) -> bool:
        return all((_field(obj, path) == value) is equal for path, equal, value in terms) and (
            not has_labels or matches(wanted, obj.metadata.labels)
        )

    return asked


def named(fields: str) -> str:
    """The one name that ``metadata.name=X`` selects; empty if the selector has no such term."""
    for path, equal, value in _terms(fields):
        if path == "metadata.name" and equal:
            return value
    return ""


def field_terms(info: KindInfo, text: str) -> list[tuple[str, bool, str]]:
    """(path, whether it must be equal, value) of a field selector. Raises ``InvalidInput``."""
    known = ("metadata.name", "metadata.namespace", *_fields_of(info))
    found = list(_terms(text))
    for path, _, _ in found:
        if path not in known:
            raise InvalidInput(f"field label not supported: {path}")
    return found


def label_selector(text: str) -> LabelSelector:
    """The selector that *text* spells (``a=b,c in (d,e),!f``). Raises ``InvalidInput``."""
    tokens = _Tokens(text)
    requirements = []
    while not tokens.ended:
        requirements.append(_requirement(tokens))
        if not tokens.ended:
            tokens.expect(",", "',' or 'end of string'")
            if tokens.ended:
                raise InvalidInput(f"{_PREFIX}found '', expected: identifier after ','")
    selector = LabelSelector(match_expressions=tuple(requirements))
    wrong = problems(selector)
    if wrong:
        raise InvalidInput(_PREFIX + wrong[0])
    return selector


class _Tokens:
    """The words and signs of a label selector."""

    def __init__(self, text: str) -> None:
        found = [match.group(1) or match.group(2) for match in _TOKEN.finditer(text.strip())]
        self._tokens = found
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._tokens)

    def peek(self) -> str:
        return "" if self.ended else self._tokens[self._at]

    def take(self) -> str:
        token = self.peek()
        self._at += not self.ended
        return token

    def expect(self, token: str, wanted: str) -> None:
        found = self.take()
        if found != token:
            raise InvalidInput(f"{_PREFIX}found '{found}', expected: {wanted}")

    def word(self) -> str:
        found = self.take()
        if not found or found in _SIGNS:
            raise InvalidInput(f"{_PREFIX}found '{found}', expected: identifier")
        return found


def _requirement(tokens: _Tokens) -> LabelSelectorRequirement:
    if tokens.peek() == "!":
        tokens.take()
        return LabelSelectorRequirement(key=tokens.word(), operator="DoesNotExist")
    key = tokens.word()
    match tokens.peek():
        case "" | ",":
            return LabelSelectorRequirement(key=key, operator="Exists")
        case "=" | "==" | "!=" as sign:
            tokens.take()
            value = "" if tokens.peek() in {"", ","} else tokens.word()
            operator = "NotIn" if sign == "!=" else "In"
            return LabelSelectorRequirement(key=key, operator=operator, values=(value,))
        case "in" | "notin" as word:
            tokens.take()
            operator = "In" if word == "in" else "NotIn"
            return LabelSelectorRequirement(key=key, operator=operator, values=_values(tokens))
        case other:
            expected = "in, notin, =, ==, !="
            raise InvalidInput(f"{_PREFIX}found '{other}', expected: {expected}")


def _values(tokens: _Tokens) -> tuple[str, ...]:
    tokens.expect("(", "'('")
    values: list[str] = []
    while True:
        values.append("" if tokens.peek() in {",", ")"} else tokens.word())
        match tokens.take():
            case ")":
                return tuple(values)
            case ",":
                continue
            case other:
                raise InvalidInput(f"{_PREFIX}found '{other}', expected: ',' or ')'")


def _terms(text: str) -> Iterator[tuple[str, bool, str]]:
    for term in _split(text, ","):
        if not term:
            continue
        for sign, equal in (("!=", False), ("==", True), ("=", True)):
            path, found, value = term.partition(sign)
            if found:
                yield path.strip(), equal, _ESCAPED.sub(r"\1", value)
                break
        else:
            raise InvalidInput(f"invalid selector: '{text}'; can't understand '{term}'")


def _split(text: str, separator: str) -> list[str]:
    """*text* cut at each *separator* that no backslash precedes."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def _fields_of(info: KindInfo) -> tuple[str, ...]:
    return () if info.custom else _CORE_FIELDS.get(info.plural, ())


def _field(obj: Object, path: str) -> str:
    value: object = obj
    for step in path.split("."):
        if not isinstance(value, msgspec.Struct):
            break
        value = getattr(value, _attributes(type(value)).get(step, ""), "")
    # An Event's source selects by its component.
    if isinstance(value, msgspec.Struct):
        value = getattr(value, "component", "")
    return "" if value is None else str(value)


@cache
def _attributes(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
