"""What is known of the code in a folder, and whether it changes more often than a person saves."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from knlite.controlplane.localcode import Local

OFTEN = 20
WITHIN = 10.0
"""So many reloads of a folder in so many seconds are a program's own doing, not a person's."""


@dataclass(eq=False, slots=True)
class CodeFolder:
    """One folder that something runs from, or did."""

    path: Path
    code: Local
    digest: str = ""
    """Of the code as it was last seen; "" before it was."""
    reloads: deque[float] = field(default_factory=lambda: deque(maxlen=OFTEN))
    """When it has changed, lately."""
    held: bool = False
    """Whether reloads are held back."""
    due: bool = False
    """Whether it is to be looked at although nothing has been told of it."""
    unreadable: str = ""
    """What has been said of why it cannot be read."""
    missed: set[Path] = field(default_factory=set)
    """What has changed in it before it was seen for the first time."""

    def hold(self, now: float) -> float | None:
        """Until when to hold reloads back from *now* on; None if there is no need."""
        if len(self.reloads) < OFTEN or self.reloads[0] + WITHIN <= now:
            return None
        self.held = True
        return self.reloads[0] + WITHIN
