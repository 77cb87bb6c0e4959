"""An object as the YAML that a person reads and edits. Pure.

What only the system writes is folded away, and values of Secrets are hidden unless they are asked
for; so is the copy of them that kubectl keeps in an annotation.
"""

import hashlib
from typing import Any

import msgspec
import yaml

from knlite.kinds.catalog import tree_of
from knlite.kinds.core.secret import Secret
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.meta import Object

HIDDEN = "(hidden)"
"""Stands for the value of a Secret; no base64, so it can be no value itself."""
_OF_SYSTEM = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "managedFields",
)
WIDTH = 100


def shown(
    obj: Object, served: KindInfo | None = None, *, whole: bool = False, secrets: bool = False
) -> str:
    """*obj* as YAML in the version *served*; *whole* with what only the system writes."""
    tree = tree_of(obj, served)
    if not whole:
        tree = edited(tree)
    if isinstance(obj, Secret) and not secrets:
        tree = _hidden(tree)
    return to_yaml(tree)


def edited(tree: dict[str, Any]) -> dict[str, Any]:
    """The part of a document that people write."""
    metadata = {name: value for name, value in tree["metadata"].items() if name not in _OF_SYSTEM}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    rest = {name: value for name, value in tree.items() if name != "status"}
    return {**rest, "metadata": metadata}


def state_of(obj: Object) -> str:
    """Stands for what people have written into *obj*: another text once that is another.

    Its resourceVersion would change with each change of its status, too.
    """
    text = msgspec.json.encode(edited(tree_of(obj)), order="sorted")
    return hashlib.sha256(text).hexdigest()[:24]


def to_yaml(tree: object) -> str:
    """*tree* as a document of YAML, keys in their order, texts of several lines as blocks."""
    text: str = yaml.dump(
        tree,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=WIDTH,
    )
    return text


def _hidden(tree: dict[str, Any]) -> dict[str, Any]:
    """A Secret with its keys, and without their values."""
    found = dict(tree)
    for name in ("data", "stringData"):
        if found.get(name):
            found[name] = dict.fromkeys(found[name], HIDDEN)
    annotations = found["metadata"].get("annotations") or {}
    if LAST_APPLIED in annotations:
        annotations = {**annotations, LAST_APPLIED: HIDDEN}
        found["metadata"] = {**found["metadata"], "annotations": annotations}
    return found


class _Dumper(yaml.CSafeDumper if hasattr(yaml, "CSafeDumper") else yaml.SafeDumper):  # type: ignore[misc]  # one of two bases
    """As Kubernetes' clients print it."""


def _text(dumper: Any, text: str) -> Any:
    # A block cannot hold spaces at the end of a line.
    block = "\n" in text and not any(line.endswith((" ", "\t")) for line in text.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)


_Dumper.add_representer(str, _text)
