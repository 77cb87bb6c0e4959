"""JSON patch: a list of operations at paths, all or nothing.

Source: RFC 6902, RFC 6901; apiserver ``endpoints/handlers/patch.go`` (limit, texts).
"""

from dataclasses import dataclass

from knlite.errors import InvalidInput
from knlite.kinds.patch.tree import PatchFailed, Tree, equal

MAX_OPERATIONS = 10_000
MAX_COPIED = 100_000
"""Values that all ``copy`` operations of a patch may add; copies of copies grow quickly."""

_WITH_VALUE = frozenset(("add", "replace", "test"))
_WITH_FROM = frozenset(("move", "copy"))


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """*operations* as they stand in the body; raises ``InvalidInput`` if it is no list of them."""

    operations: Tree

    def __post_init__(self) -> None:
        if not isinstance(self.operations, list):
            raise InvalidInput("a JSON patch must be a list of operations")
        if len(self.operations) > MAX_OPERATIONS:
            raise InvalidInput(
                f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS},"
                f" got {len(self.operations)}"
            )
        for operation in self.operations:
            _require_operation(operation)

    def applied_to(self, tree: Tree) -> Tree:
        """*tree* after all operations. Raises ``PatchFailed``."""
        copied = 0
        for operation in self.operations:
            if operation["op"] == "copy":
                copied += _size(_at(tree, _parsed(operation["from"])), MAX_COPIED - copied)
            tree = _applied(operation, tree)
        return tree


def _require_operation(operation: Tree) -> None:
    if not isinstance(operation, dict):
        raise InvalidInput("a JSON patch operation must be a JSON object")
    op = operation.get("op")
    if op not in _WITH_VALUE | _WITH_FROM | {"remove"}:
        raise InvalidInput(f"Unexpected kind: {op}")
    needed = ["path", *(["from"] if op in _WITH_FROM else [])]
    for name in needed:
        if not isinstance(operation.get(name), str):
            raise InvalidInput(f'a JSON patch operation "{op}" needs "{name}", which is a text')
    if op in _WITH_VALUE and "value" not in operation:
        raise InvalidInput(f'a JSON patch operation "{op}" needs "value"')


def _applied(operation: Tree, tree: Tree) -> Tree:
    path = _parsed(operation["path"])
    match operation["op"]:
        case "add":
            return _added(tree, path, operation["value"])
        case "remove":
            return _removed(tree, path)
        case "replace":
            _at(tree, path)
            return _replaced(tree, path, operation["value"])
        case "copy":
            return _added(tree, path, _at(tree, _parsed(operation["from"])))
        case "move":
            source = _parsed(operation["from"])
            if path[: len(source)] == source and path != source:
                raise PatchFailed("a value cannot be moved into itself")
            return _added(_removed(tree, source), path, _at(tree, source))
        case _:
            found = _at(tree, path) if operation["value"] is not None else _or_none(tree, path)
            if not equal(found, operation["value"]):
                raise PatchFailed(f"testing value {operation['path']} failed")
            return tree


def _parsed(pointer: str) -> tuple[str, ...]:
    if pointer and not pointer.startswith("/"):
        raise PatchFailed(f"{pointer!r} is no JSON pointer: it must begin with /")
    parts = pointer.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _at(tree: Tree, path: tuple[str, ...]) -> Tree:
    for place, step in enumerate(path):
        if isinstance(tree, dict) and step in tree:
            tree = tree[step]
        elif isinstance(tree, list):
            tree = tree[_index(step, len(tree) - 1, path)]
        else:
            raise _missing(path[: place + 1])
    return tree


def _or_none(tree: Tree, path: tuple[str, ...]) -> Tree:
    """Testing for null also holds where there is nothing, as in Kubernetes' library."""
    try:
        return _at(tree, path)
    except PatchFailed:
        return None


def _added(tree: Tree, path: tuple[str, ...], value: Tree) -> Tree:
    if not path:
        return value
    step = path[0]
    if isinstance(tree, dict):
        if len(path) > 1 and step not in tree:
            raise _missing(path)
        return {**tree, step: _added(tree.get(step), path[1:], value)}
    if isinstance(tree, list):
        if len(path) > 1:
            index = _index(step, len(tree) - 1, path)
            return [*tree[:index], _added(tree[index], path[1:], value), *tree[index + 1 :]]
        index = len(tree) if step == "-" else _index(step, len(tree), path)
        return [*tree[:index], value, *tree[index:]]
    raise _missing(path)


def _replaced(tree: Tree, path: tuple[str, ...], value: Tree) -> Tree:
    if not path:
        return value
    step = path[0]
    if isinstance(tree, dict):
        return {**tree, step: _replaced(tree[step], path[1:], value)}
    index = _index(step, len(tree) - 1, path)
    return [*tree[:index], _replaced(tree[index], path[1:], value), *tree[index + 1 :]]


def _removed(tree: Tree, path: tuple[str, ...]) -> Tree:
    if not path:
        raise PatchFailed("the whole document cannot be removed")
    step = path[0]
    if isinstance(tree, dict) and step in tree:
        if len(path) > 1:
            return {**tree, step: _removed(tree[step], path[1:])}
        return {key: member for key, member in tree.items() if key != step}
    if isinstance(tree, list):
        index = _index(step, len(tree) - 1, path)
        middle = [_removed(tree[index], path[1:])] if len(path) > 1 else []
        return [*tree[:index], *middle, *tree[index + 1 :]]
    raise _missing(path)


def _size(tree: Tree, limit: int) -> int:
    """How many values *tree* holds. Raises ``PatchFailed`` if there are more than *limit*."""
    count, left = 0, [tree]
    while left:
        count += 1
        if count > limit:
            raise PatchFailed(f"its copies would add more than {MAX_COPIED} values")
        value = left.pop()
        if isinstance(value, dict | list):
            left.extend(value.values() if isinstance(value, dict) else value)
    return count


def _index(step: str, highest: int, path: tuple[str, ...]) -> int:
    plain = step.isascii() and step.isdecimal() and (step == "0" or step[0] != "0")
    # A number that long is no index, and slow to read.
    if not plain or len(step) > len(str(MAX_OPERATIONS)) + 2 or int(step) > highest:
        raise PatchFailed(f"/{'/'.join(path)}: {step!r} is no place in the list")
    return int(step)


def _missing(path: tuple[str, ...]) -> PatchFailed:
    return PatchFailed(f"there is nothing at /{'/'.join(path)}")
