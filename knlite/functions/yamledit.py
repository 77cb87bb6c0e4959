"""Changes a YAML text so that it says something else, and keeps all that need not change.

Comments, order, quotes and blank lines stay wherever the values stay. What is new is written as
block style, two spaces deep. The result is read again before it is given out: should it not say
what it has to, the text is written anew, with the comments at its head.
"""

from collections.abc import Mapping, Sequence

import yaml

from knlite.functions.yamltree import Unreadable, parsed

_Edit = tuple[int, int, str]
"""From where to where of the text, and what stands there instead."""
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Timestamp(str):
    """A text that stands without quotes, as Go writes a time."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    Timestamp, lambda dumper, data: dumper.represent_scalar(_TIMESTAMP, str(data))
)


def dumped(tree: object, *, flow: bool = False) -> str:
    """*tree* as YAML, in the order that it has."""
    text: str = yaml.dump(
        tree,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=flow,
        allow_unicode=True,
        width=float("inf"),
    )
    return text.removesuffix("...\n")


def edited(text: str, target: Mapping[str, object]) -> str:
    """*text*, changed so that it says *target*."""
    if not text.endswith("\n"):
        text += "\n"
    # The root's end is where the parser has looked, not where the last value ends.
    edits = sorted(_Editor(text).of_mapping(parsed(text).root, target), key=lambda each: each[:2])
    result = text
    for start, end, new in reversed(edits):
        result = result[:start] + new + result[end:]
    try:
        if same(parsed(result).tree, target):
            return result
    except Unreadable:
        pass
    return _head(text) + dumped(target)


def same(old: object, new: object) -> bool:
    """Whether *old*, of text alone, is what *new* with its types is written as."""
    if isinstance(new, Mapping):
        return (
            isinstance(old, Mapping)
            and old.keys() == new.keys()
            and all(same(old[key], value) for key, value in new.items())
        )
    if isinstance(new, str) or not isinstance(new, Sequence):
        return old == (None if new is None else _word(new))
    return (
        isinstance(old, list)
        and len(old) == len(new)
        and all(same(one, other) for one, other in zip(old, new, strict=True))
    )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _head(text: str) -> str:
    lines = []
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith("#"):
            break
        lines.append(line)
    return "".join(lines)


def _is_block(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


class _Editor:
    def __init__(self, text: str) -> None:
        self._text = text

    def of_mapping(self, node: yaml.MappingNode, new: Mapping[str, object]) -> list[_Edit]:
        """How *node* becomes *new*."""
        there = [key.value for key, _ in node.value]
        gone = [key for key in there if key not in new]
        added = {key: value for key, value in new.items() if key not in there}
        shared_line = self._text[self._line(node.start_mark.index) : node.start_mark.index].strip(
            " \n"
        )
        # A key behind "- " cannot go with its line.
        if node.flow_style or not node.value or (gone and shared_line and there[0] in gone):
            return self._anew(node, new)
        edits: list[_Edit] = []
        for key, value in node.value:
            if key.value in new:
                edits += self._of_entry(key, value, new[key.value])
            else:
                edits.append((self._line(key.start_mark.index), self._next(self._end(value)), ""))
        if added:
            end = self._next(self._end(node.value[-1][1]))
            edits.append((end, end, self._block(added, node.start_mark.column)))
        return edits

    def _of_entry(self, key: yaml.Node, node: yaml.Node, new: object) -> list[_Edit]:
        if self._same(node, new):
            return []
        if not _is_block(new):
            text = self._inline(new)
            if isinstance(node, yaml.CollectionNode) and not node.flow_style:
                column = key.start_mark.column
                entry = self._block({key.value: new}, column).strip(" \n")
                return [(key.start_mark.index, self._end(node), entry)]
            start = node.start_mark.index
            gap = "" if self._text[start - 1 : start] in {" ", "\n"} else " "
            return [(start, self._end(node), gap + text)]
        if self._alike(node, new):
            return self._of_value(node, new)
        entry = self._block({key.value: new}, key.start_mark.column).strip(" \n")
        return [(key.start_mark.index, self._end(node), entry)]

    def _of_value(self, node: yaml.Node, new: object) -> list[_Edit]:
        if isinstance(node, yaml.MappingNode) and isinstance(new, Mapping):
            return self.of_mapping(node, new)
        if isinstance(node, yaml.SequenceNode) and isinstance(new, list | tuple):
            return self._of_sequence(node, new)
        return self._anew(node, new)

    def _of_sequence(self, node: yaml.SequenceNode, new: Sequence[object]) -> list[_Edit]:
        old: list[yaml.Node] = node.value
        if node.flow_style or not old:
            return self._anew(node, new)
        begin = 0
        while begin < min(len(old), len(new)) and self._same(old[begin], new[begin]):
            begin += 1
        tail = 0
        while tail < min(len(old), len(new)) - begin and self._same(old[-1 - tail], new[-1 - tail]):
            tail += 1
        kept = min(len(old), len(new)) - begin - tail
        edits: list[_Edit] = []
        for item, value in zip(old[begin : begin + kept], new[begin : begin + kept], strict=True):
            alike = _is_block(value) and self._alike(item, value)
            edits += self._of_value(item, value) if alike else self._anew(item, value)
        edits += (
            (self._line(item.start_mark.index), self._next(self._end(item)), "")
            for item in old[begin + kept : len(old) - tail]
        )
        if added := list(new[begin + kept : len(new) - tail]):
            last = begin + kept
            index = (
                self._next(self._end(old[last - 1]))
                if last
                else self._line(old[0].start_mark.index)
            )
            edits.append((index, index, self._block(added, node.start_mark.column)))
        return edits

    def _anew(self, node: yaml.Node, new: object) -> list[_Edit]:
        start, end = node.start_mark.index, self._end(node)
        if not _is_block(new) or (isinstance(node, yaml.CollectionNode) and node.flow_style):
            return [(start, end, self._inline(new))]
        return [(start, end, self._block(new, node.start_mark.column).strip(" \n"))]

    def _same(self, node: yaml.Node, new: object) -> bool:
        if isinstance(node, yaml.MappingNode):
            return (
                isinstance(new, Mapping)
                and [key.value for key, _ in node.value] == list(new)
                and all(self._same(value, new[key.value]) for key, value in node.value)
            )
        if isinstance(node, yaml.SequenceNode):
            return (
                isinstance(new, list | tuple)
                and len(node.value) == len(new)
                and all(self._same(one, other) for one, other in zip(node.value, new, strict=True))
            )
        if isinstance(new, Mapping | list | tuple):
            return False
        return same(None if node.tag.endswith(":null") else node.value, new)

    def _alike(self, node: yaml.Node, new: object) -> bool:
        """Whether both are mappings, or both lists, and can be changed in place."""
        kind = yaml.MappingNode if isinstance(new, Mapping) else yaml.SequenceNode
        return isinstance(node, kind) and bool(node.value)

    def _end(self, node: yaml.Node) -> int:
        """Behind the last character of what *node* says."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        end = node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
            while end and self._text[end - 1] in " \n":
                end -= 1
        return end

    def _line(self, index: int) -> int:
        """Where the line of *index* begins."""
        return self._text.rfind("\n", 0, index) + 1

    def _next(self, index: int) -> int:
        """Where the line after that of *index* begins."""
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found + 1

    def _block(self, value: object, column: int) -> str:
        pad = " " * column
        return "".join(
            pad + line if line.strip() else line for line in dumped(value).splitlines(keepends=True)
        )

    def _inline(self, value: object) -> str:
        return dumped(value, flow=True).strip(" \n")
