"""How the person who waits learns what is being done, and how far it is."""

from typing import Protocol


class Report(Protocol):
    """Takes a sentence about a step that takes time."""

    def __call__(self, text: str, share: float | None = None) -> None:
        """*share* of the step, 0 to 1, is done where that is known.

        The same *text* again with a larger share is the same step, further on; a *text* without a
        share is told once.
        """
        ...
