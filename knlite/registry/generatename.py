"""Names for objects that only say how theirs begins (``metadata.generateName``).

Source: Kubernetes ``apiserver/pkg/storage/names``.
"""

import secrets

from knlite.kinds.names import MAX_LABEL

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LENGTH = 5


def random_suffix() -> str:
    """What completes a ``generateName``: letters and digits that make no words."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def generated(prefix: str, suffix: str) -> str:
    """The name that *prefix* becomes, shortened so that it can be a DNS label."""
    return prefix[: MAX_LABEL - _LENGTH] + suffix
