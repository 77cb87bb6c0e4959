"""What clients ask about themselves: may I, who am I. Everybody may everything here.

Source: Kubernetes authorization/v1 SelfSubjectAccessReview and SelfSubjectRulesReview,
authentication/v1 SelfSubjectReview. Differs: there are no roles; who reaches the port is the admin.
"""

from collections.abc import Mapping
from typing import Any

_RULES = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
PLURALS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
}


def review(group: str, plural: str, body: object, user: str) -> dict[str, Any] | None:
    """The answer to the question in *body*; None if there is no such question."""
    kind = PLURALS.get((group, plural))
    if kind is None:
        return None
    spec = body.get("spec", {}) if isinstance(body, Mapping) else {}
    status: dict[str, Any]
    match kind:
        case "SelfSubjectAccessReview":
            status = {"allowed": True, "reason": "everything is allowed on knlite"}
        case "SelfSubjectRulesReview":
            status = _RULES
        case _:
            groups = ["system:masters", "system:authenticated"]
            status = {"userInfo": {"username": user, "groups": groups}}
    return {
        "kind": kind,
        "apiVersion": f"{group}/v1",
        "metadata": {"creationTimestamp": None},
        **({"spec": spec} if spec else {}),
        "status": status,
    }
