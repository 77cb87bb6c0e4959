"""The verbs on objects: get, list, create, update, patch, delete, deletecollection.

What may be stored, and what a write does, the registry decides; here its answers get the shapes
that clients ask for.

Source: Kubernetes API concepts; clients-api reference, Parts 4 and 6.
Not here: watching (``watching.py``), what is neither an object nor its status (``reviews.py``,
``podlogs.py``).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from knlite.apiserver import incoming, options
from knlite.apiserver.answers import Answers
from knlite.apiserver.lists import page, question
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import MethodNotAllowed
from knlite.apiserver.status import failure_of, success
from knlite.apiserver.warnings import Warnings
from knlite.errors import KnliteError, NotFound
from knlite.reconcile import Key
from knlite.registry.fieldvalidation import read_object
from knlite.registry.registry import Registry
from knlite.registry.write import Write

USER = "kubernetes-admin"
"""In whose name clients of the API write, unless they impersonate somebody."""


def user_of(request: Request) -> str:
    """Who asks."""
    return request.headers.get("impersonate-user") or USER


def require_verb(target: Target, verb: str) -> None:
    """Refuse what a kind does not offer. Raises ``MethodNotAllowed``."""
    if verb not in target.info.verbs:
        raise MethodNotAllowed(
            f"{target.resource} is read-only: {verb} is not supported on resources of kind"
            f' "{target.resource}"'
        )


class Verbs:
    """The verbs over *registry*."""

    def __init__(self, registry: Registry, wall: Callable[[], datetime]) -> None:
        self._registry = registry
        self._wall = wall

    def get(self, request: Request, target: Target) -> Response:
        """One object. Raises ``NotFound``."""
        answers = self._answers(request, target, "get")
        found = self._registry.at(_key_of(target))
        if found is None:
            raise NotFound(f'{target.resource} "{target.name}" not found')
        return answers.one(found)

    def list(self, request: Request, target: Target) -> Response:
        """All objects of a kind or a namespace that the selectors select."""
        answers = self._answers(request, target, "list")
        found = page(self._registry, request, target)
        return answers.many(found.objects, found.metadata)

    async def create(self, request: Request, target: Target) -> Response:
        """Store the object in the body. Raises what reading the body raises."""
        answers, warnings = self._answers(request, target, "create"), Warnings()
        write = options.writing(request, warnings)
        tree = await incoming.new_document(request, target, write)
        try:
            obj = read_object(tree, write)
            stored = self._registry.create(obj, user=user_of(request), write=write)
        except KnliteError as exc:
            # The path does not name the object, and clients say which one was refused.
            return failure_of(exc, replace(target, name=incoming.name_in(tree)))
        return answers.one(stored, 201, warnings)

    async def update(self, request: Request, target: Target) -> Response:
        """Replace the object, or its status. Raises what ``Registry.update`` raises."""
        answers, warnings = self._answers(request, target, "update"), Warnings()
        write = options.writing(request, warnings)
        obj = await incoming.whole_object(request, target, write)
        change = self._registry.update_status if target.subresource else self._registry.update
        stored = change(obj, user=user_of(request), write=write, exact=True)
        return answers.one(stored, 200, warnings)

    async def patch(self, request: Request, target: Target) -> Response:
        """Change the object, or its status. Raises what ``Registry.patch`` raises."""
        answers, warnings = self._answers(request, target, "patch"), Warnings()
        write = options.writing(request, warnings)
        patch = await incoming.patch(request, target, write)
        key = _key_of(target)
        existed = self._registry.at(key) is not None
        stored = self._registry.patch(
            key,
            patch,
            user=user_of(request),
            write=write,
            subresource="status" if target.subresource else "",
            served=target.info,
        )
        return answers.one(stored, 200 if existed else 201, warnings)

    async def delete(self, request: Request, target: Target) -> Response:
        """Delete one object: a Status if it is gone, else the object that waits."""
        answers = self._answers(request, target, "delete")
        how = await incoming.deletion(request)
        key = _key_of(target)
        last = self._registry.delete(
            key,
            propagation=how.propagation,
            # The files that kubectl deletes name the namespace first, and its contents after it.
            lingering=True,
            write=Write(dry_run=how.dry_run),
            uid=how.uid,
            resource_version=how.resource_version,
        )
        left = self._registry.at(key)
        if left is not None and left.metadata.uid == last.metadata.uid and not how.dry_run:
            return answers.one(left)
        return success(target, last.metadata.uid)

    async def delete_collection(self, request: Request, target: Target) -> Response:
        """Delete all objects that the selectors select, and answer with them."""
        answers = self._answers(request, target, "deletecollection")
        how = await incoming.deletion(request)
        doomed = self._registry.delete_collection(
            target.info.key_type,
            target.namespace,
            predicate=question(request, target),
            propagation=how.propagation,
            write=Write(dry_run=how.dry_run),
        )
        return answers.many(doomed, {"resourceVersion": str(self._registry.version)})

    def _answers(self, request: Request, target: Target, verb: str) -> Answers:
        """How to answer to a *verb* that is offered. Raises ``MethodNotAllowed``."""
        require_verb(target, verb)
        return Answers(request, target, self._wall())


def _key_of(target: Target) -> Key:
    return Key(target.info.key_type, target.namespace, target.name)
