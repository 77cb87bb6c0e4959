"""What clients ask about who may what, and who they are. Everybody may everything here.

Source: Kubernetes authorization/v1 SelfSubjectAccessReview, SubjectAccessReview and
SelfSubjectRulesReview, authentication/v1 SelfSubjectReview.
Differs: there are no roles; who reaches the port is the admin.
"""

from collections.abc import Mapping
from typing import Any

from knlite.kinds.kindinfo import group_version

_RULES = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
VERSION = "v1"
"""Of all of them."""
KINDS: Mapping[tuple[str, str], str] = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "subjectaccessreviews"): "SubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
}
"""Group and resource to the kind of question that is asked by creating one; nobody keeps it."""


def review(group: str, resource: str, body: object, user: str) -> dict[str, Any]:
    """The answer to the question in *body*, which is one of ``KINDS``."""
    kind = KINDS[group, resource]
    spec = body.get("spec", {}) if isinstance(body, Mapping) else {}
    status: dict[str, Any]
    match kind:
        case "SelfSubjectAccessReview" | "SubjectAccessReview":
            status = {"allowed": True, "reason": "everything is allowed on knlite"}
        case "SelfSubjectRulesReview":
            status = _RULES
        case _:
            groups = ["system:masters", "system:authenticated"]
            status = {"userInfo": {"username": user, "groups": groups}}
    return {
        "kind": kind,
        "apiVersion": group_version(group, VERSION),
        "metadata": {"creationTimestamp": None},
        **({"spec": spec} if spec else {}),
        "status": status,
    }
