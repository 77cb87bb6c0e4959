"""What a text of YAML changes: tried first, whole or not at all, and nothing overwritten unseen.

An object that was opened for editing is replaced, if it is still what it was then. Any other that
exists is applied as server-side apply does it: what others own is a conflict. What does not exist
is made.

Source: Kubernetes "Server-Side Apply"; API conventions (optimistic concurrency).
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from knlite.console.manifests.shown import HIDDEN, state_of
from knlite.errors import Conflict, KnliteError, NotFound
from knlite.kinds.catalog import info_of
from knlite.kinds.core.secret import Secret
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.meta import Object
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.podspec.security import INSECURE_DEFAULT
from knlite.manifests.declared import Declared, declared_in
from knlite.manifests.documents import Complaint, Manifest, parse
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Refused, Registry
from knlite.registry.write import Write

MANAGER = "knlite-console"
"""Who owns the fields that are written here."""
MAX_DOCUMENTS = 200
"""Of one text: requests wait while they are written, for about a tenth of a second."""
Action = Literal["created", "configured", "unchanged"]


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wrong with the text, at *line* (from 1); a warning refuses nothing."""

    line: int
    message: str
    level: Literal["error", "warning"] = "error"


class Written(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of the document at *line*, or would."""

    line: int
    kind: str
    group: str
    version: str
    plural: str
    namespace: str
    name: str
    action: Action


class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """*applied* is false if anything is wrong, and if it was only tried."""

    applied: bool
    documents: Sequence[Written]
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Opened:
    """The object that was opened for editing, and its state then (``state_of``)."""

    key: Key
    state: str


def read_text(text: str) -> tuple[tuple[Declared, ...], list[Problem]]:
    """The objects that *text* declares, and what is wrong with it before anybody is asked."""
    loaded = declared_in(parse(text, "this text"))
    problems = [_problem(each) for each in loaded.complaints]
    for one_too_many in loaded.declared[MAX_DOCUMENTS : MAX_DOCUMENTS + 1]:
        text = f"only {MAX_DOCUMENTS} objects are taken at once: use kubectl apply for more"
        problems.append(_problem(one_too_many.manifest.complaint(text)))
    return loaded.declared, [*problems, *_hidden_values(loaded.declared)]


def write(
    registry: Registry,
    declared: Sequence[Declared],
    opened: Opened | None,
    *,
    user: str,
    dry_run: bool,
) -> Result:
    """Do what they say, or say why not. Nothing changes if any of them is refused."""
    problems: list[Problem] = []
    # Tried on a copy, where each meets what those before it have changed: their namespace, what
    # a ConfigMap allows.
    documents = _all(registry.fork(), declared, opened, problems, user)
    if dry_run or any(each.level == "error" for each in problems):
        return Result(applied=False, documents=documents, problems=problems)
    # Warnings have been said already.
    told: list[Problem] = []
    documents = _all(registry, declared, opened, told, user)
    failed = [each for each in told if each.level == "error"]
    return Result(applied=not failed, documents=documents, problems=[*problems, *failed])


def _all(
    registry: Registry,
    declared: Sequence[Declared],
    opened: Opened | None,
    problems: list[Problem],
    user: str,
) -> list[Written]:
    """What becomes of those that are not refused; why the others are is among *problems*."""
    done = (_one(registry, each, opened, problems, user) for each in declared)
    return [document for document in done if document is not None]


def _hidden_values(declared: Sequence[Declared]) -> Iterator[Problem]:
    """Values that were never shown, and so are none."""
    for each in declared:
        if isinstance(each.obj, Secret):
            values = {"data": each.obj.data, "stringData": each.obj.string_data}
            for name, pairs in values.items():
                for key in (key for key, value in pairs.items() if value == HIDDEN):
                    text = f"{name}.{key}: the value is hidden: show it before editing"
                    yield _problem(each.manifest.complaint(text, f"{name}.{key}"))


def _one(
    registry: Registry,
    declared: Declared,
    opened: Opened | None,
    problems: list[Problem],
    user: str,
) -> Written | None:
    """What becomes of one document; None, and why among *problems*, if it is refused."""
    manifest, obj = declared.manifest, declared.obj
    key = key_of(obj)

    def warn(text: str) -> None:
        # Every manifest that says nothing of security has those of a cluster's defaults.
        if not text.startswith(INSECURE_DEFAULT):
            problems.append(Problem(line=manifest.line, message=text, level="warning"))

    how = Write(manager=MANAGER, warn=warn)
    old = registry.at(key)
    try:
        new = _stored(registry, declared, old, opened, how, user)
    except Refused as refused:
        for error in refused.errors:
            path = error.paths[0] if error.paths else ""
            problems.append(_problem(manifest.complaint(str(error), path)))
        return None
    except KnliteError as exc:
        problems.extend(_explained(exc, manifest))
        return None
    info = info_of(key.kind)
    return Written(
        line=manifest.line,
        kind=info.kind,
        group=info.group,
        version=info.version,
        plural=info.plural,
        namespace=key.namespace,
        name=new.metadata.name,
        action="created" if old is None else "unchanged" if _same(old, new) else "configured",
    )


def _stored(
    registry: Registry,
    declared: Declared,
    old: Object | None,
    opened: Opened | None,
    how: Write,
    user: str,
) -> Object:
    obj = declared.obj
    key = key_of(obj)
    if opened is not None and opened.key == key:
        if old is None:
            raise NotFound(
                f"{key} was deleted while it was edited",
                fix="open it as a new one to make it again",
            )
        if state_of(old) != opened.state:
            raise Conflict(
                f"{key} was changed by somebody else while it was edited",
                fix="load it again, and make your changes to what it is now",
            )
        return registry.update(_with_hidden(obj, old), user=user, write=how, exact=True)
    if old is None:
        return registry.create(obj, user=user, write=how)
    tree: Any = deepcopy(declared.manifest.tree)
    if info_of(key.kind).namespaced:
        tree["metadata"]["namespace"] = key.namespace
    for name in ("uid", "creationTimestamp", "generation", "managedFields"):
        tree["metadata"].pop(name, None)
    tree.pop("status", None)
    return registry.patch(key, ApplyPatch(tree), user=user, write=how)


def _with_hidden(obj: Object, old: Object) -> Object:
    """*obj* with what the page does not show of *old*."""
    last = old.metadata.annotations.get(LAST_APPLIED)
    metadata = msgspec.structs.replace(
        obj.metadata, resource_version=old.metadata.resource_version, uid=old.metadata.uid
    )
    if last is not None and LAST_APPLIED not in metadata.annotations:
        annotations = {**metadata.annotations, LAST_APPLIED: last}
        metadata = msgspec.structs.replace(metadata, annotations=annotations)
    return msgspec.structs.replace(obj, metadata=metadata)


def _explained(error: KnliteError, manifest: Manifest) -> list[Problem]:
    """*error* where it is about, as far as it says that."""
    causes = getattr(error, "causes", ())
    if not causes:
        text = " ".join(part for part in (error.what, error.cause and f"({error.cause})") if part)
        text = f"{text}: {error.fix}" if error.fix else text
        return [_problem(manifest.complaint(text))]
    # The one who has opened it would have been told otherwise.
    out = "; open the object itself to change it" if isinstance(error, Conflict) else ""
    found = []
    for cause in causes:
        path = cause.field.lstrip(".")
        found.append(_problem(manifest.complaint(f"{path}: {cause.message}{out}", path)))
    return found


def _problem(complaint: Complaint) -> Problem:
    return Problem(line=complaint.line, message=complaint.message)


def _same(old: Object, new: Object) -> bool:
    """Whether nothing of it has changed but who owns it."""
    return state_of(old) == state_of(new)
