"""The messages that are read, by the numbers of their fields.

Source: the field numbers of k8s.io/api ``generated.proto``.
Not here: reading bytes by them (``protobuf.py``), pods and what makes them
(``protobufpods.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    *type* is a message, or one of text, bytes, integer, boolean, time, map, bytes map, quantity,
    quantity map, ``number or name``; and *count* and *flag*, whose 0 and false say nothing, as Go
    writes them for fields that are no pointers.
    """

    name: str
    type: "str | Message" = "text"
    many: bool = False
    inline: bool = False
    """Whether its fields are among those of the message around it."""


Message = Mapping[int, Field]


class Whole(dict[int, Field]):
    """A message that is refused for what is not in it, rather than read in part."""


_OWNER: Message = {
    1: Field("kind"),
    3: Field("name"),
    4: Field("uid"),
    5: Field("apiVersion"),
    6: Field("controller", "boolean"),
    7: Field("blockOwnerDeletion", "boolean"),
}
META: Message = {
    1: Field("name"),
    2: Field("generateName"),
    3: Field("namespace"),
    5: Field("uid"),
    6: Field("resourceVersion"),
    7: Field("generation", "integer"),
    8: Field("creationTimestamp", "time"),
    9: Field("deletionTimestamp", "time"),
    10: Field("deletionGracePeriodSeconds", "integer"),
    11: Field("labels", "map"),
    12: Field("annotations", "map"),
    13: Field("ownerReferences", _OWNER, many=True),
    14: Field("finalizers", many=True),
}
_REFERENCE: Message = {
    1: Field("kind"),
    2: Field("namespace"),
    3: Field("name"),
    4: Field("uid"),
    5: Field("apiVersion"),
    6: Field("resourceVersion"),
    7: Field("fieldPath"),
}
_PORT: Message = {
    1: Field("name"),
    2: Field("protocol"),
    3: Field("port", "integer"),
    4: Field("targetPort", "number or name"),
    5: Field("nodePort", "integer"),
    6: Field("appProtocol"),
}
_SERVICE_SPEC: Message = {
    1: Field("ports", _PORT, many=True),
    2: Field("selector", "map"),
    3: Field("clusterIP"),
    4: Field("type"),
    5: Field("externalIPs", many=True),
    7: Field("sessionAffinity"),
    10: Field("externalName"),
}
META_FIELD = Field("metadata", META)
_ACCESS: Message = {
    1: Field("namespace"),
    2: Field("verb"),
    3: Field("group"),
    4: Field("version"),
    5: Field("resource"),
    6: Field("subresource"),
    7: Field("name"),
}
_TOKEN_SPEC: Message = {
    1: Field("audiences", many=True),
    3: Field(
        "boundObjectRef",
        {1: Field("kind"), 2: Field("apiVersion"), 3: Field("name"), 4: Field("uid")},
    ),
    4: Field("expirationSeconds", "integer"),
}
_PATH: Message = {1: Field("path"), 2: Field("verb")}

KINDS: Mapping[tuple[str, str], Message] = {
    ("v1", "Namespace"): {1: META_FIELD},
    ("v1", "ConfigMap"): {
        1: META_FIELD,
        2: Field("data", "map"),
        3: Field("binaryData", "bytes map"),
        4: Field("immutable", "boolean"),
    },
    ("v1", "Secret"): {
        1: META_FIELD,
        2: Field("data", "bytes map"),
        3: Field("type"),
        4: Field("stringData", "map"),
        5: Field("immutable", "boolean"),
    },
    ("v1", "ServiceAccount"): {
        1: META_FIELD,
        2: Field("secrets", _REFERENCE, many=True),
        3: Field("imagePullSecrets", {1: Field("name")}, many=True),
        4: Field("automountServiceAccountToken", "boolean"),
    },
    ("v1", "Service"): {1: META_FIELD, 2: Field("spec", _SERVICE_SPEC)},
    ("v1", "DeleteOptions"): {},
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        1: META_FIELD,
        2: Field(
            "spec",
            {1: Field("resourceAttributes", _ACCESS), 2: Field("nonResourceAttributes", _PATH)},
        ),
    },
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): {
        1: META_FIELD,
        2: Field("spec", {1: Field("namespace")}),
    },
    ("authentication.k8s.io/v1", "SelfSubjectReview"): {1: META_FIELD},
    ("authentication.k8s.io/v1", "TokenRequest"): {1: META_FIELD, 2: Field("spec", _TOKEN_SPEC)},
}
DELETE_OPTIONS: Message = {
    1: Field("gracePeriodSeconds", "integer"),
    2: Field("preconditions", {1: Field("uid"), 2: Field("resourceVersion")}),
    3: Field("orphanDependents", "boolean"),
    4: Field("propagationPolicy"),
    5: Field("dryRun", many=True),
}
