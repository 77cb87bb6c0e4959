"""A small YAML file as a tree whose scalars are text, with the place of every field.

Scalars stay the text that stands there, since a field that holds text takes whatever is written, as
Go's decoder does: ``value: 1.10`` is "1.10". Only null is None. Files are hostile: their size,
their depth and what their aliases expand to are bounded.

Not here: what the fields mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

MAX_BYTES = 256 * 1024
_MAX_NODES = 10_000
"""After aliases are written out."""
_MAX_DEPTH = 40
_NULL = "tag:yaml.org,2002:null"

Place = tuple[str | int, ...]


class Unreadable(ValueError):
    """The text is no such file; *line* counts from one."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlTree:
    """A mapping, and the node that each of its values came from."""

    tree: Mapping[str, object]
    root: yaml.MappingNode

    def line_of(self, place: Place) -> int:
        """The line of the innermost field on *place* that is there."""
        node: yaml.Node = self.root
        line = node.start_mark.line
        for step in place:
            found = _inner(node, step)
            if found is None:
                break
            line, node = found
        return line + 1


def text_of(file: Path) -> str:
    """What stands in *file*. Raises ``Unreadable``."""
    try:
        # A pipe or a device would never end.
        if not file.is_file():
            raise Unreadable("cannot be read: it is no file")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Unreadable(f"cannot be read: it has more than {MAX_BYTES} bytes")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"cannot be read: {error}") from error


def parsed(text: str) -> YamlTree:
    """*text* as a tree. Raises ``Unreadable``."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, yaml.MappingNode):
            raise Unreadable("must be a mapping with at least name and runtime")
        tree = _Built().mapping(root, 0)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Unreadable(f"is not valid YAML: {error.problem}", line) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"is not valid YAML: {error}") from error
    except RecursionError:
        raise Unreadable("is not valid YAML: it is nested too deeply") from None
    return YamlTree(tree, root)


def printable(text: str) -> str:
    """*text* of a file for a terminal, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _inner(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    """The line on which *step* of *node* begins, and what is there."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value.start_mark.line, value
    return None


class _Built:
    """Nodes as values, within the bounds."""

    def __init__(self) -> None:
        self._left = _MAX_NODES

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, object]:
        tree: dict[str, object] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise Unreadable("is not valid YAML: a key must be a word", line)
            if key.value in tree:
                raise Unreadable(f'is not valid: key "{key.value}" already set in map', line)
            if key.tag == "tag:yaml.org,2002:merge":
                raise Unreadable("is not valid: merge keys (<<) are not supported", line)
            tree[key.value] = self._value(value, depth + 1)
        return tree

    def _value(self, node: yaml.Node, depth: int) -> object:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise Unreadable("is too large or too deep for a func.yaml", node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(each, depth + 1) for each in node.value]
        return None if node.tag == _NULL else node.value
