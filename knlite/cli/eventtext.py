"""A CloudEvent as the Go SDK prints it, and so ``func invoke``: what articles show.

Source: Knative Functions reference §4.6; cloudevents/sdk-go v2 (event, eventcontext_v1).
"""

import json

from knlite.eventing.cloudevent import CloudEvent

_BEFORE = ("specversion", "type", "source", "subject", "id", "time", "dataschema")
_SPACE = frozenset(" \t\r\n")


def event_text(event: CloudEvent) -> str:
    """Attributes, extensions and data, each under its heading."""
    attributes = event.attributes
    lines = ["Context Attributes,"]
    lines += [f"  {name}: {attributes[name]}" for name in _BEFORE if name in attributes]
    if event.content_type is not None:
        lines.append(f"  datacontenttype: {event.content_type}")
    extensions = sorted(name for name in attributes if name not in _BEFORE)
    if extensions:
        lines.append("Extensions,")
        lines += [f"  {name}: {attributes[name]}" for name in extensions]
    if event.data is not None:
        lines += ["Data,", f"  {_data(event.content_type or '', event.data)}"]
    return "\n".join(lines) + "\n"


def _data(content_type: str, data: bytes) -> str:
    text = data.decode(errors="replace")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _indented(text)


def _indented(text: str) -> str:
    """*text*, which is valid JSON, on lines of its own; numbers and texts stay as they are."""
    out: list[str] = []
    depth = 0
    inside = escaped = False
    opened = False
    for char in text:
        if inside:
            out.append(char)
            inside = escaped or char != '"'
            escaped = char == "\\" and not escaped
            continue
        if char in _SPACE:
            continue
        if opened and char not in "}]":
            depth += 1
            out.append(_line(depth))
        if char in "}]" and not opened:
            depth -= 1
            out.append(_line(depth))
        opened = char in "{["
        inside = char == '"'
        out.append(": " if char == ":" else char)
        if char == ",":
            out.append(_line(depth))
    return "".join(out)


def _line(depth: int) -> str:
    return "\n" + "  " * (depth + 1)
