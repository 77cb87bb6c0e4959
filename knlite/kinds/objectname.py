"""The name of an object itself, as the API server checks it before any webhook is asked.

Source: Kubernetes ``apimachinery/pkg/api/validation/objectmeta.go``. Not here: the stricter rule
for Knative Services and their children (``serving/``).
"""

from collections.abc import Callable
from typing import Final

from knlite.kinds.fielderror import Errors, generic, invalid
from knlite.kinds.meta import Object
from knlite.kinds.names import subdomain_1123_problems

NO_NAME: Final = "name or generateName is required"

_PATH = "metadata.name"


def name_errors(
    obj: Object, problems: Callable[[str], tuple[str, ...]] = subdomain_1123_problems
) -> Errors:
    """What *problems* has against the name of *obj*; a generated one is filled in later."""
    name = obj.metadata.name
    if not name:
        if obj.metadata.generate_name:
            return ()
        return (generic(NO_NAME, _PATH),)
    return tuple(invalid(name, _PATH, problem) for problem in problems(name))
