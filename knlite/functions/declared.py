"""What a function project declares where no manifest speaks for it: itself, as it is deployed.

So ``knlite up FOLDER`` runs what ``func create`` has made, with nothing else written: the Service
and the Triggers are those of ``func deploy``, in the namespace that func.yaml names.

Source: knlite's own; Knative Functions reference §4.4 for the objects.
Not here: manifests (``manifests``), deploying to a knlite that runs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from knlite.errors import InvalidInput
from knlite.functions import funcyaml
from knlite.functions.funcyaml import ProjectErrors
from knlite.functions.service import service_of, triggers_of

_DEFAULT_NAMESPACE = "default"


def documents_of(folder: Path, environ: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """The image of the function in *folder*, and its objects.

    Variables may refer to *environ*. Raises ``InvalidInput`` if it lacks one, or if func.yaml is
    wrong.
    """
    func = funcyaml.load(folder, environ)
    if isinstance(func, ProjectErrors):
        raise InvalidInput(str(func))
    namespace = func.namespace or func.deploy.namespace or _DEFAULT_NAMESPACE
    image = func.image_here
    # The same from one run to the next, so that it makes no revision by itself.
    built = "".join(letter for letter in func.created[:19] if letter not in "-:")
    service = service_of(func, namespace=namespace, image=image, built=built, environ=environ)
    return image, [service, *triggers_of(func, namespace=namespace)]
