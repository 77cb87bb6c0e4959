"""Errors that a person reads: what happened, the cause, the fix.

``KnliteError`` is the only base. The families below it say what the caller can do, not which room
raised them. Only the doors (gateway, API server, CLI) turn them into status or exit codes.

Not here: problems of manifests, which are collected as values (``kinds/fielderror.py``,
``kinds/codec.py``) until all are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One of several reasons, as ``details.causes`` of a Kubernetes Status lists them."""

    reason: str
    message: str
    field: str = ""


class KnliteError(Exception):
    """Base of every error that knlite raises on purpose.

    *what* is a sentence without a full stop; *cause* and *fix* complete it for a person.
    """

    def __init__(self, what: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        """One line per part, as the terminal shows it."""
        lines = [self.what]
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)


class InvalidInput(KnliteError):
    """What was given can never work; change it."""


class Invalid(InvalidInput):
    """An object whose fields cannot be what they are; ``causes`` has one entry for each."""

    def __init__(
        self, what: str, *, cause: str = "", fix: str = "", causes: Sequence[Cause] = ()
    ) -> None:
        super().__init__(what, cause=cause, fix=fix)
        self.causes = tuple(causes)


class Forbidden(KnliteError):
    """What was asked for is never allowed, whoever asks."""


class Unauthenticated(KnliteError):
    """Who asks does not prove who they are."""


class NotFound(KnliteError):
    """The named thing does not exist (yet)."""


class Conflict(KnliteError):
    """The named thing changed in between, or somebody else decides about it; read it again."""

    def __init__(
        self, what: str, *, cause: str = "", fix: str = "", causes: Sequence[Cause] = ()
    ) -> None:
        super().__init__(what, cause=cause, fix=fix)
        self.causes = tuple(causes)


class AlreadyExists(Conflict):
    """The named thing exists already."""


class Expired(KnliteError):
    """What was asked about is too long ago; read the present state instead."""


class Overloaded(KnliteError):
    """A bound is reached; try again later."""


class Unavailable(KnliteError):
    """A server that keeps something for knlite is lost, or does not confirm; try again later."""


class Unreachable(KnliteError):
    """Another program (engine, server, knlite itself) does not answer."""


class InstanceFailed(KnliteError):
    """The code of a revision could not be prepared or started.

    *reason* is the word that Kubernetes or Knative use for it in conditions
    (``ErrImagePull``, ``ExitCode1``, ``ContainerMissing``, …).
    """

    def __init__(self, reason: str, what: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(what, cause=cause, fix=fix)
        self.reason = reason


def defect(exc: Exception) -> InstanceFailed:
    """What an error that nobody expected means for the one instance that met it.

    It tells where in knlite that was, and not the error's text, which may hold what a Secret holds.
    """
    at = exc.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at is not None else "unknown"
    return InstanceFailed(
        "InternalError",
        "knlite has a bug that this instance has met",
        cause=f"{type(exc).__name__} at {where}",
        fix="report it with these lines; the other services run on",
    )
