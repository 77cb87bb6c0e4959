"""What a deployment of a function changes of what is there: its Service and its Triggers.

Source: Knative Functions reference §4.4; knative/func pkg/knative/deployer.go.
Differs: func only creates Triggers, so that a filter that was changed, or a subscription that was
taken away, stays as it was; here Triggers become what func.yaml says.
Not here: what they are to be (``service.py``), and asking for them (``cli/func/deploy.py``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from knlite.functions.funcproblems import KEY, KINDS, WHOLE
from knlite.functions.funcspec import FuncYaml
from knlite.functions.service import OF_CONTAINER, OF_SPEC
from knlite.kinds.labels import CREATOR, FUNCTION

Tree = dict[str, Any]


def built_at(moment: datetime) -> str:
    """The value of ``BUILT``: Go's ``20060102T150405``."""
    return f"{moment:%Y%m%dT%H%M%S}"


def from_folder(service: Mapping[str, Any], folder: str, annotations: Mapping[str, str]) -> Tree:
    """*service* whose code lies in *folder* of this machine, with more *annotations*."""
    template = service["spec"]["template"]
    meta = template["metadata"]
    told = {**meta.get("annotations", {}), FUNCTION: folder, **annotations}
    return {
        **service,
        "spec": {
            **service["spec"],
            "template": {**template, "metadata": {**meta, "annotations": told}},
        },
    }


def updated(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tree:
    """The Service *old* with what *new* says, as ``service_of`` makes it.

    Its traffic, who made it, and what ``func.yaml`` does not speak of (a timeout, a command, other
    containers) stay.
    """
    metadata = {
        **old["metadata"],
        "labels": new["metadata"].get("labels", {}),
        "annotations": _by_the_same(old["metadata"], new["metadata"].get("annotations", {})),
    }
    # It may be long, and says what others have applied.
    metadata.pop("managedFields", None)
    template = new["spec"]["template"]
    before = old["spec"]["template"].get("metadata", {})
    meta = template["metadata"]
    meta = {**meta, "annotations": _by_the_same(before, meta.get("annotations", {}))}
    # Without a name: the server names the revision.
    return {
        **new,
        "metadata": metadata,
        "spec": {
            **old["spec"],
            "template": {
                "metadata": meta,
                "spec": _updated_spec(old["spec"]["template"]["spec"], template["spec"]),
            },
        },
    }


def _updated_spec(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tree:
    first, *others = old.get("containers") or [{}]
    (container,) = new["containers"]
    return {
        **_without(old, OF_SPEC),
        **new,
        "containers": [{**_without(first, OF_CONTAINER), **container}, *others],
    }


def _without(tree: Mapping[str, Any], fields: frozenset[str]) -> Tree:
    return {key: value for key, value in tree.items() if key not in fields}


@dataclass(frozen=True, slots=True)
class TriggerChanges:
    """What makes the Triggers of a function what they are to be."""

    delete: tuple[str, ...] = ()
    create: tuple[Tree, ...] = ()
    replace: tuple[Tree, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.delete or self.create or self.replace)


def trigger_changes(
    service: str, uid: str, there: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]
) -> TriggerChanges:
    """How *there* (all Triggers of the namespace) become those *wanted* of *service*.

    Only Triggers that a deployment has made are changed or deleted: by their names, and by *uid*
    if they have an owner.
    """
    own = re.compile(rf"{re.escape(service)}-function-trigger-\d+")
    made = {
        each["metadata"]["name"]: each
        for each in there
        if own.fullmatch(each["metadata"]["name"]) and _is_owned(each, uid)
    }
    others = {each["metadata"]["name"] for each in there} - made.keys()
    names = {each["metadata"]["name"] for each in wanted}
    delete = [name for name in made if name not in names]
    create: list[Tree] = []
    replace: list[Tree] = []
    for each in wanted:
        name = each["metadata"]["name"]
        if name in others:
            continue  # Somebody else's, which func would leave alone, too.
        old = made.get(name)
        if old is not None and old["spec"].get("broker") != each["spec"]["broker"]:
            # A Trigger stays with its Broker.
            delete.append(name)
            old = None
        if old is None:
            create.append(dict(each))
            continue
        spec = {**old["spec"], **each["spec"]}
        if spec != old["spec"]:
            replace.append({**old, "spec": spec})
    return TriggerChanges(tuple(delete), tuple(create), tuple(replace))


@dataclass(frozen=True, slots=True)
class Reference:
    """An object that a function needs to be there."""

    kind: str
    name: str
    called: str = field(default="", compare=False)
    """What the sentence about its absence calls it, if not its kind."""

    def absent(self, namespace: str) -> str:
        """The sentence."""
        what = self.called or self.kind
        return f'referenced {what} "{self.name}" is not present in namespace "{namespace}"'


def references(func: FuncYaml) -> tuple[Reference, ...]:
    """The objects that *func* names, each once."""
    found: list[Reference] = []
    for env in func.run.envs:
        match = WHOLE.fullmatch(env.value or "") or KEY.fullmatch(env.value or "")
        if match is not None:
            found.append(Reference(KINDS[match[1]], match[2]))
    for volume in func.run.volumes:
        claim = volume.persistent_volume_claim
        if volume.secret is not None:
            found.append(Reference("Secret", volume.secret))
        if volume.config_map is not None:
            found.append(Reference("ConfigMap", volume.config_map))
        if claim is not None and claim.claim_name:
            found.append(Reference("PersistentVolumeClaim", claim.claim_name))
    if func.deploy.service_account_name not in {"", "default"}:
        found.append(Reference("ServiceAccount", func.deploy.service_account_name))
    if func.deploy.image_pull_secret:
        found.append(Reference("Secret", func.deploy.image_pull_secret, "image pull Secret"))
    return tuple(dict.fromkeys(found))


def _by_the_same(old: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, str]:
    creator = old.get("annotations", {}).get(CREATOR)
    return {**annotations, CREATOR: creator} if creator is not None else dict(annotations)


def _is_owned(trigger: Mapping[str, Any], uid: str) -> bool:
    owners = trigger["metadata"].get("ownerReferences") or []
    return not owners or any(owner.get("uid") == uid for owner in owners)
