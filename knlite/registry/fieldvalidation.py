"""Documents that clients send, to objects: Kubernetes' field validation and its texts.

``Strict`` refuses unknown fields, ``Warn`` drops them and says so, ``Ignore`` only drops them.

Source: Kubernetes API concepts, "Field validation"; apiserver ``endpoints/handlers``.
Not here: manifests from files, whose mistakes are collected with file and line (``manifests``).
"""

import json
from typing import NoReturn

from knlite.errors import Cause, Invalid, InvalidInput, NotFound
from knlite.kinds.catalog import Read, kind_named, read
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object
from knlite.kinds.patch.tree import Tree
from knlite.kinds.webhooks import invalid_text
from knlite.reconcile import Key, key_of
from knlite.registry.admission import Refused
from knlite.registry.write import PLAIN, Write


def read_object(tree: Tree, write: Write = PLAIN) -> Object:
    """The object that the document *tree* describes.

    Raises ``InvalidInput`` (400: unknown kind, unknown fields when strict), ``Invalid``
    (422: wrong types in custom kinds).
    """
    info = _kind_of(tree)
    found = read(tree, strict=False)
    strict = _strict_error(found.unknown, write)
    if strict:
        raise InvalidInput(
            f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}: {strict}'
        )
    return found.value or _refuse(info, found, tree)


def read_patched(tree: Tree, write: Write = PLAIN) -> Object:
    """The object that the document *tree* has become by a patch.

    Raises ``Invalid``: on a cluster it is the patch that is wrong then, not the document.
    """
    info = _kind_of(tree)
    found = read(tree, strict=False)
    strict = _strict_error(found.unknown, write)
    if strict:
        shown = json.dumps(json.dumps(tree, ensure_ascii=False), ensure_ascii=False)
        text = f"Invalid value: {shown}: {strict}"
        cause = Cause("FieldValueInvalid", text, "patch")
        raise Invalid(f' "" is invalid: patch: {text}', causes=[cause])
    return found.value or _refuse(info, found, tree)


def _refuse(info: KindInfo, found: Read, tree: Tree) -> NoReturn:
    """Core kinds are read by a Go decoder, custom ones are checked against their schema."""
    if found.refused is not None:
        meta = found.refused.metadata
        raise Refused(Key(info.key_type, meta.namespace, meta.name), found.errors)
    first = next((problem.in_go for problem in found.problems if problem.in_go), "")
    if first and not info.custom:
        raise InvalidInput(
            f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}:'
            f" json: {first}"
        )
    metadata = tree.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    causes = [_cause(problem.text, problem.path) for problem in found.problems]
    raise Invalid(invalid_text(info.kind, info.group, str(name), causes), causes=causes)


def require_same_name(key: Key, obj: Object) -> None:
    """Refuse a patch that makes another object out of the one at *key*. Raises ``InvalidInput``."""
    found = key_of(obj)
    if found != key:
        raise InvalidInput(
            f"the object that results is {found}, not {key}",
            fix="leave apiVersion, kind, metadata.name and metadata.namespace as they are",
        )


def _kind_of(tree: Tree) -> KindInfo:
    api_version, kind = (
        (tree.get("apiVersion"), tree.get("kind")) if isinstance(tree, dict) else ("", "")
    )
    if not isinstance(kind, str) or not kind:
        raise InvalidInput("Object 'Kind' is missing in the body")
    info = kind_named(str(api_version), kind)
    if info is None:
        raise NotFound(f'no kind "{kind}" is registered for version "{api_version}"')
    return info


def _strict_error(unknown: tuple[str, ...], write: Write) -> str:
    """What refuses a document with *unknown* fields; "" if it is only warned about, or ignored."""
    if write.field_validation == "Strict" and unknown:
        return f"strict decoding error: {', '.join(unknown)}"
    if write.field_validation == "Warn":
        for each in unknown:
            write.warn(each)
    return ""


def _cause(text: str, path: str) -> Cause:
    message = text.removeprefix(f"{path}: ")
    reason = "FieldValueRequired" if message.startswith("Required value") else "FieldValueInvalid"
    return Cause(reason, message, path)
