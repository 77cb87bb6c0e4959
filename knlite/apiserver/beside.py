"""What the admin port serves besides the Kubernetes API and knlite's own state."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from knlite.apiserver.ending import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The console, or nothing.

    *token* is what a request that a page makes needs to change anything: empty, and pages change
    nothing. Streams among the *routes* end with *ending*.
    """

    routes: Sequence[BaseRoute] = ()
    token: str = ""
    ending: Ending = field(default_factory=Ending)
