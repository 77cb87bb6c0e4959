"""Children of Serving's kinds: what is handed down, and whose a name is.

Source: Knative reference §1.8, §1.10. Not here: owner references (``kinds/ownership.py``).
"""

from collections.abc import Mapping

from knlite.kinds.labels import CONFIGURATION_GENERATION, LAST_APPLIED
from knlite.kinds.ownership import controls
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision


def handed_down(entries: Mapping[str, str], *kept_back: str) -> dict[str, str]:
    """Labels or annotations that a child gets from its parent."""
    return {key: value for key, value in entries.items() if key not in (LAST_APPLIED, *kept_back)}


def is_taken(configuration: Configuration, revision: Revision) -> bool:
    """Whether *revision*, whose name *configuration* wants to use, is another one.

    One of its own with the same spec is not: its author has gone back to it. Nor is the one that
    was made from this very template.
    """
    if not controls(configuration, revision):
        return True
    made_from = revision.metadata.labels.get(CONFIGURATION_GENERATION)
    if made_from == str(configuration.metadata.generation):
        return False
    template = configuration.spec.template
    return bool(template.metadata.name) and revision.spec != template.spec
