"""How many instances services and revisions have, for ``knlite get``: told by their Pods.

Not here: what a Pod says of an instance (``serving/podlife.py``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from knlite.kinds.labels import REVISION, SERVICE

HEAD = "INSTANCES"
LABELS: Mapping[str, str] = {"services": SERVICE, "revisions": REVISION}
"""By which label Pods belong to an object of that plural."""
_OF_KNATIVE = "serving.knative.dev"


def counted(group: str, plural: str) -> bool:
    """Whether objects of that kind have instances."""
    return group == _OF_KNATIVE and plural in LABELS


def cells(
    plural: str, objects: Iterable[tuple[str, str]], pods: Iterable[Mapping[str, Any]]
) -> list[str]:
    """A cell for each of *objects*, given by namespace and name: ``2``, ``1, 1 frozen``."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for pod in pods:
        meta = pod["metadata"]
        owner = meta.get("labels", {}).get(LABELS[plural])
        if owner is not None:
            of = found.setdefault((meta.get("namespace", ""), owner), Counter())
            of[_state(pod)] += 1
    return [_text(found.get(each, Counter())) for each in objects]


def _state(pod: Mapping[str, Any]) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "ending"
    status = pod.get("status", {})
    if reason := status.get("reason"):
        return str(reason).lower()
    conditions = status.get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return "ready" if ready else "not ready"


def _text(states: Counter[str]) -> str:
    others = [
        f"{states[state]} {state}"
        for state in ("not ready", "frozen", "stopped", "ending")
        if states[state]
    ]
    return ", ".join([str(states["ready"]), *others])
