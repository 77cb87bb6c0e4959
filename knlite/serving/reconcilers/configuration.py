"""Configuration: a Revision for every template, which of them is ready, which may go.

Source: knative/serving ``pkg/reconciler/configuration``, ``pkg/reconciler/gc``; Knative reference
§1.8, §1.9, §1.11, §1.12.
Differs: a revision goes when its time has come; upstream looks when something else happens.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from knlite.kinds.conditions import find, is_true, timestamp
from knlite.kinds.labels import (
    CONFIGURATION,
    CONFIGURATION_GENERATION,
    CONFIGURATION_UID,
    CREATOR,
    LAST_MODIFIER,
    ROUTES,
    ROUTING_STATE,
    ROUTING_STATE_MODIFIED,
    SERVICE,
    SERVICE_UID,
)
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import owned_by
from knlite.kinds.serving.configuration import CONDITIONS, Configuration
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import Change, Create, Delete, Key, Outcome, UpdateStatus, View, key_of
from knlite.serving.collection import collected
from knlite.serving.ownership import is_taken
from knlite.serving.superseded import generation, superseded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The latest Revision and the status of the Configuration at *key*."""
    configuration = view.get(Configuration, key.namespace, key.name)
    if configuration is None or configuration.metadata.deletion_timestamp is not None:
        return Outcome()
    editor = CONDITIONS.edit(configuration.status.conditions, now)
    status = configuration.status
    owned = view.owned(Revision, configuration)
    latest, changes, taken = _latest(configuration, owned, view, now)
    if latest is None:
        why = f'revisions.serving.knative.dev "{taken}" already exists'
        editor.false("Ready", "RevisionFailed", f"Revision creation failed with message: {why}.")
    else:
        name = latest.metadata.name
        status = msgspec.structs.replace(status, latest_created_revision_name=name)
        ready = find(latest.status.conditions)
        if changes or ready is None or ready.status == "Unknown":
            editor.unknown("Ready")
        elif ready.status == "False":
            editor.false("Ready", "RevisionFailed", _failed(name, ready.message))
        found = _latest_ready(configuration, owned)
        if found is not None:
            status = msgspec.structs.replace(status, latest_ready_revision_name=found.metadata.name)
        if ready is not None and ready.status == "True":
            editor.true("Ready")
    known = status.latest_ready_revision_name
    if known and all(each.metadata.name != known for each in owned):
        editor.false("Ready", "RevisionDeleted", f'Revision "{known}" was deleted.')
        status = msgspec.structs.replace(status, latest_ready_revision_name="")
    status = msgspec.structs.replace(
        status,
        observed_generation=configuration.metadata.generation,
        conditions=editor.result(),
    )
    if status != configuration.status:
        changes += (UpdateStatus(msgspec.structs.replace(configuration, status=status)),)
    garbage = collected(configuration, owned, view.config.gc, now)
    gone = {key_of(each): None for each in (*superseded(configuration, owned), *garbage.revisions)}
    changes += tuple(map(Delete, gone))
    return Outcome(changes, garbage.look_again)


def _latest(
    configuration: Configuration, owned: Sequence[Revision], view: View, now: datetime
) -> tuple[Revision | None, tuple[Change, ...], str]:
    """The Revision of the current template; or None, and the name that somebody else has."""
    meta = configuration.metadata
    name = configuration.spec.template.metadata.name or child_name(
        meta.name, f"-{meta.generation:05d}"
    )
    existing = view.get(Revision, meta.namespace, name)
    if existing is None:
        revision = _revision(configuration, name, now)
        return revision, (Create(revision),), name
    return (None if is_taken(configuration, existing) else existing), (), name


def _revision(configuration: Configuration, name: str, now: datetime) -> Revision:
    meta, template = configuration.metadata, configuration.spec.template
    author = meta.annotations.get(LAST_MODIFIER, "")
    inherited = {key: meta.labels[key] for key in (SERVICE, SERVICE_UID) if key in meta.labels}
    annotations = {**template.metadata.annotations, ROUTING_STATE_MODIFIED: timestamp(now)}
    if author:
        annotations[CREATOR] = author
    annotations.pop(ROUTES, None)
    return Revision(
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            labels={
                **template.metadata.labels,
                **inherited,
                CONFIGURATION: meta.name,
                CONFIGURATION_GENERATION: str(meta.generation),
                CONFIGURATION_UID: meta.uid,
                ROUTING_STATE: "pending",
            },
            annotations=annotations,
            owner_references=owned_by(configuration),
        ),
        spec=template.spec,
    )


def _latest_ready(configuration: Configuration, owned: Sequence[Revision]) -> Revision | None:
    """The newest Ready revision, not older than the one that is known to be ready."""
    revisions = owned
    known = configuration.status.latest_ready_revision_name
    least = max((generation(each) for each in revisions if each.metadata.name == known), default=0)
    chosen = configuration.spec.template.metadata.name
    candidates = sorted(
        revisions,
        key=lambda each: (each.metadata.name == chosen, generation(each)),
        reverse=True,
    )
    for each in candidates:
        fits = each.metadata.name == chosen or generation(each) >= least
        if fits and is_true(each.status.conditions):
            return each
    return None


def _failed(name: str, message: str) -> str:
    return f'Revision "{name}" failed with message: {message}.'
