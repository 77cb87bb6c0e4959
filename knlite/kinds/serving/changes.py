"""What differs between two specs, in the words of an error about an immutable field.

Each difference is the Go path of the field, then the old and the new value. Quantities that say the
same (``1`` and ``1000m``) do not differ.

Source: knative/pkg ``kmp/diff.go`` (``ShortDiff``); Knative reference §1.8.
Differs: lists are compared place by place, and structs are shown as JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeGuard

import msgspec

from knlite.kinds.meta import Fields
from knlite.kinds.podspec.fields import PodSpec, Resources
from knlite.kinds.quantities import InvalidQuantity, canonical

REVISION_SPEC: Final = "{v1.RevisionSpec}"
REVISION_TEMPLATE: Final = "{*v1.RevisionTemplateSpec}"

_GO_NAMES = {
    "exec": "Exec",
    "grpc": "GRPC",
    "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders",
    "metadata": "ObjectMeta",
    "tcpSocket": "TCPSocket",
    "tty": "TTY",
    "csi": "CSI",
}
_POD_FIELDS = frozenset(PodSpec.__struct_encode_fields__)


def changes(root: str, old: Fields, new: Fields) -> str:
    """The differences between *old* and *new*, which *root* names; empty if there are none."""
    return "".join(_struct_changes(root, old, new))


def _struct_changes(path: str, old: Fields, new: Fields) -> Iterator[str]:
    for field, name in zip(old.__struct_fields__, old.__struct_encode_fields__, strict=True):
        go_name = _GO_NAMES.get(name) or name[0].upper() + name[1:]
        where = f"{path}.{go_name}"
        if isinstance(old, PodSpec):
            # RevisionSpec embeds the pod; its own fields are pointers to numbers.
            where = f"{path}.PodSpec.{go_name}" if name in _POD_FIELDS else f"*{where}"
        before, after = getattr(old, field), getattr(new, field)
        if isinstance(old, Resources) and field != "claims":
            before, after = _canonical(before), _canonical(after)
        yield from _changes(where, before, after)


def _changes(path: str, old: object, new: object) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Fields) and isinstance(new, Fields):
        yield from _struct_changes(path, old, new)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            where = f'{path}["{key}"]'
            if key not in old or key not in new:
                yield _entry(where, old.get(key), new.get(key), key in old, key in new)
            else:
                yield from _changes(where, old[key], new[key])
    elif _is_list(old) and _is_list(new):
        yield from _list_changes(path, old, new)
    else:
        yield _entry(path, old, new, True, True)


def _list_changes(path: str, old: Sequence[object], new: Sequence[object]) -> Iterator[str]:
    common = min(len(old), len(new))
    for index in range(common):
        yield from _changes(f"{path}[{index}]", old[index], new[index])
    for index in range(common, len(old)):
        yield _entry(f"{path}[{index}->?]", old[index], None, True, False)
    for index in range(common, len(new)):
        yield _entry(f"{path}[?->{index}]", None, new[index], False, True)


def _entry(path: str, old: object, new: object, was_there: bool, is_there: bool) -> str:
    text = f"{path}:\n"
    if was_there:
        text += f'\t-: "{_shown(old)}"\n'
    if is_there:
        text += f'\t+: "{_shown(new)}"\n'
    return text


def _shown(value: object) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return msgspec.json.encode(value).decode()


def _canonical(quantities: Mapping[str, str | int | float]) -> Mapping[str, str]:
    return {name: _canonical_text(quantity) for name, quantity in quantities.items()}


def _canonical_text(quantity: str | int | float) -> str:
    try:
        return canonical(quantity)
    except InvalidQuantity:
        return str(quantity)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
