"""The stamp of local code: an annotation of the template, so that a save is a template change.

What carries it gets a new Revision by Knative's own rules, and so readiness, traffic and the old
one's end. Untouched code has no stamp: manifests stay as they were written.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: what watches code and makes the stamps (``controlplane/reloader.py``).
"""

from collections.abc import Mapping

from msgspec.structs import replace

from knlite.kinds.core.deployment import Deployment
from knlite.kinds.labels import CODE
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service

Stamped = Service | Configuration | Deployment
"""What has a template and gets new instances when it changes."""


def code_of(annotations: Mapping[str, str]) -> str:
    """The digest of the code that *annotations* of a template or a revision name; "" if none."""
    return annotations.get(CODE, "")


def annotations_of(obj: Stamped) -> Mapping[str, str]:
    """The annotations of the template of *obj*."""
    return obj.spec.template.metadata.annotations


def is_named(obj: Stamped) -> bool:
    """Whether the author has named the revision, which then cannot change (reference §1.8)."""
    return not isinstance(obj, Deployment) and bool(obj.spec.template.metadata.name)


def with_code(obj: Stamped, code: str) -> Stamped:
    """*obj* whose template is stamped with *code*; "" takes no stamp away."""
    template = obj.spec.template
    annotations = template.metadata.annotations
    if not code or code_of(annotations) == code:
        return obj
    metadata = replace(template.metadata, annotations={**annotations, CODE: code})
    spec = replace(obj.spec, template=replace(template, metadata=metadata))
    return replace(obj, spec=spec)
