"""Rules of the metadata of Services, Configurations and Routes: names and owners.

Source: knative/pkg ``apis/metadata_validation.go``; knative/serving ``pkg/apis/serving/v1``
(``validateLabels``, ``validateRevisionName``); Knative reference §1.2, §1.8.
Not here: annotations (``annotations.py``).
"""

from collections.abc import Sequence

from knlite.kinds.fielderror import Errors, disallowed, generic, invalid, missing
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.names import label_1035_problems
from knlite.kinds.objectname import NO_NAME


def name_errors(meta: ObjectMeta) -> Errors:
    """A DNS-1035 name, or the beginning of one. Paths are fields of the metadata."""
    if meta.generate_name and (problems := _prefix_problems(meta.generate_name)):
        return (generic(f"not a DNS 1035 label prefix: {_listed(problems)}", "generateName"),)
    if meta.name and (problems := label_1035_problems(meta.name)):
        return (generic(f"not a DNS 1035 label: {_listed(problems)}", "name"),)
    if not meta.name and not meta.generate_name:
        return (generic(NO_NAME, "name"),)
    return ()


def revision_name_errors(template: ObjectMeta, parent: ObjectMeta) -> Errors:
    """The name that a template brings along starts with that of its *parent*."""
    if template.generate_name and (problems := _prefix_problems(template.generate_name)):
        text = f"not a DNS 1035 label prefix: {_listed(problems)}"
        return (invalid(text, "generateName"),)
    if not template.name:
        return ()
    if problems := label_1035_problems(template.name):
        return (invalid(f"not a DNS 1035 label: {_listed(problems)}", "name"),)
    if not parent.name and parent.generate_name:
        return (disallowed("name"),)
    if not template.name.startswith(f"{parent.name}-"):
        return (invalid(f'"{template.name}" must have prefix "{parent.name}-"', "name"),)
    return ()


def owner_errors(meta: ObjectMeta, label: str, kind: str) -> Errors:
    """*label* may only name an owner of that *kind*."""
    name = meta.labels.get(label)
    if name is None or _owns(meta.owner_references, kind, name):
        return ()
    return (missing(label),)


def _owns(owners: Sequence[OwnerReference], kind: str, name: str) -> bool:
    return any(owner.kind == kind and owner.name == name for owner in owners)


def _prefix_problems(prefix: str) -> tuple[str, ...]:
    """Something follows, so that the prefix may end with a dash."""
    masked = f"{prefix[:-1]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix
    return label_1035_problems(masked)


def _listed(problems: Sequence[str]) -> str:
    return f"[{' '.join(problems)}]"
