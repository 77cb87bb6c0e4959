"""Image: the code of a revision, made ready to start before the first request needs it.

The spec is written by the Revision's reconciler, the status by whoever prepares images.

Source: ``caching.internal.knative.dev/v1alpha1`` Image, named ``<revision>-cache-<container>``.
Differs: upstream only caches; here the status also carries the digest and how the image is run.
"""

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import child_name

CONDITIONS = ConditionSet()


class ImageSpec(Fields):
    image: str = ""


class ImageStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    digest: str = ""
    runs_as: str = ""
    """In words: which source was chosen, and on which runtime it runs."""


def image_name(revision: str, container: str) -> str:
    """The name of the Image of a *revision*'s *container*."""
    return child_name(revision, f"-cache-{container or 'user-container'}")


class Image(Object):
    """One image of one revision."""

    spec: ImageSpec = ImageSpec()
    status: ImageStatus = ImageStatus()
