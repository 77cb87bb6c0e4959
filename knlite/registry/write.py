"""How a client wants something written.

Reconcilers write without any of this: they are run again when what they read has changed.

Source: Kubernetes meta/v1 CreateOptions, UpdateOptions, PatchOptions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

FieldValidation = Literal["Strict", "Warn", "Ignore"]


def ignore(_text: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Write:
    """Everything about one write but the object.

    With *dry_run* all happens but storing and telling. *manager* is who will own the fields that
    change ("" means nobody). *warn* is told what did not refuse the object.
    """

    dry_run: bool = False
    manager: str = ""
    warn: Callable[[str], None] = ignore
    field_validation: FieldValidation = "Warn"


PLAIN = Write()
"""A write that counts, by nobody in particular."""
