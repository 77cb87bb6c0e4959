"""JSON patch: a list of operations at paths, all or nothing.

Source: RFC 6902, RFC 6901; apiserver ``endpoints/handlers/patch.go`` (limit, texts).
"""

from dataclasses import dataclass

import msgspec

from knlite.errors import InvalidInput
from knlite.kinds.patch.tree import MAX_DEPTH, PatchFailed, Tree, equal, is_deeper

Path = tuple[str, ...]

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
        document = _Document(tree)
        for operation in self.operations:
            document.apply(operation)
        if is_deeper(document.tree, MAX_DEPTH):
            raise PatchFailed(f"the result is nested deeper than {MAX_DEPTH} levels")
        return document.tree


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


class _Document:
    """A copy of a tree that operations change in place: each costs what it says, and no more."""

    def __init__(self, tree: Tree) -> None:
        # A member without a name holds it, so that the whole is a place as any other.
        self._root = {"": _copy(tree)}
        self._copied = 0

    @property
    def tree(self) -> Tree:
        """The document as it is now."""
        return self._root[""]

    def apply(self, operation: Tree) -> None:
        """Do one operation. Raises ``PatchFailed``, and then may have done half of it."""
        path = _parsed(operation["path"])
        match operation["op"]:
            case "add":
                self._add(path, _copy(operation["value"]))
            case "remove":
                self._remove(path)
            case "replace":
                self._at(path)
                self._put(path, _copy(operation["value"]))
            case "copy":
                value = self._at(_parsed(operation["from"]))
                self._copied += _size(value, MAX_COPIED - self._copied)
                self._add(path, _copy(value))
            case "move":
                source = _parsed(operation["from"])
                if path[: len(source)] == source and path != source:
                    raise PatchFailed("a value cannot be moved into itself")
                self._add(path, self._remove(source))
            case _:
                wanted = operation["value"]
                found = self._at(path) if wanted is not None else self._at_or_none(path)
                if not equal(found, wanted):
                    raise PatchFailed(f"testing value {operation['path']} failed")

    def _at(self, path: Path) -> Tree:
        tree: Tree = self._root
        for place, step in enumerate(path):
            if isinstance(tree, dict) and step in tree:
                tree = tree[step]
            elif isinstance(tree, list):
                tree = tree[_index(step, len(tree) - 1, path)]
            else:
                raise _missing(path[: place + 1])
        return tree

    def _at_or_none(self, path: Path) -> Tree:
        """Testing for null also holds where there is nothing, as in Kubernetes' library."""
        try:
            return self._at(path)
        except PatchFailed:
            return None

    def _add(self, path: Path, value: Tree) -> None:
        *above, step = path
        holder = self._at(tuple(above))
        if isinstance(holder, dict):
            holder[step] = value
        elif isinstance(holder, list):
            place = len(holder) if step == "-" else _index(step, len(holder), path)
            holder.insert(place, value)
        else:
            raise _missing(path)

    def _put(self, path: Path, value: Tree) -> None:
        """Set what is at *path*, where there is something."""
        *above, step = path
        holder = self._at(tuple(above))
        holder[step if isinstance(holder, dict) else int(step)] = value

    def _remove(self, path: Path) -> Tree:
        *above, step = path
        if not above:
            raise PatchFailed("the whole document cannot be removed")
        holder = self._at(tuple(above))
        if isinstance(holder, dict) and step in holder:
            return holder.pop(step)
        if isinstance(holder, list):
            return holder.pop(_index(step, len(holder) - 1, path))
        raise _missing(path)


def _parsed(pointer: str) -> Path:
    """The steps of *pointer*; the first, which has no name, leads to the whole document."""
    if pointer and not pointer.startswith("/"):
        raise PatchFailed(f"{pointer!r} is no JSON pointer: it must begin with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/"))


def _copy(tree: Tree) -> Tree:
    try:
        return msgspec.json.decode(msgspec.json.encode(tree))
    except RecursionError as exc:
        raise PatchFailed("a value is nested too deeply to be copied") from exc


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


def _index(step: str, highest: int, path: Path) -> int:
    plain = step.isascii() and step.isdecimal() and (step == "0" or step[0] != "0")
    # A number that long is no index, and slow to read.
    if not plain or len(step) > len(str(MAX_OPERATIONS)) + 2 or int(step) > highest:
        raise PatchFailed(f"{'/'.join(path)}: {step!r} is no place in the list")
    return int(step)


def _missing(path: Path) -> PatchFailed:
    return PatchFailed(f"there is nothing at {'/'.join(path)}")
