"""Names of instances, and when one that has failed is started again.

Source: Kubernetes' names of Pods (``<revision>-deployment-<hash>-<random>``) and its
CrashLoopBackOff (10 s, doubling, at most 5 min); Knative reference §4.2.
"""

import hashlib

from knlite.kinds.names import MAX_LABEL, child_name
from knlite.serving.draw import Draw

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for random names: no vowels, nothing that looks alike."""
FIRST_DELAY = 10.0
MAX_DELAY = 300.0


def instance_name(revision: str, draw: Draw) -> str:
    """A new name of an instance of *revision*, at most 63 characters.

    What is too long loses its end before the random part, as on a cluster: who looks for the Pods
    of a Deployment by the beginning of their names finds them.
    """
    digest = hashlib.md5(revision.encode(), usedforsecurity=False).digest()
    template = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:9])
    tail = "".join(draw.choice(ALPHABET) for _ in range(5))
    deployment = child_name(revision, "-deployment")
    return f"{deployment}-{template}-"[: MAX_LABEL - len(tail)] + tail


def restart_delay(restarts: int) -> float:
    """Seconds to wait before starting again what has been started again *restarts* times."""
    if restarts == 0:
        return 0.0
    return min(FIRST_DELAY * 2.0 ** min(restarts - 1, 10), MAX_DELAY)
