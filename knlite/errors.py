"""Errors that a person reads: what happened, the cause, the fix.

``KnliteError`` is the only base. The families below it say what the caller can do, not which room
raised them. Only the doors (gateway, API server, CLI) turn them into status or exit codes.

Not here: problems of manifests, which are collected as values (``kinds/fielderror.py``,
``kinds/codec.py``) until all are known.
"""


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


class NotFound(KnliteError):
    """The named thing does not exist (yet)."""


class Conflict(KnliteError):
    """The named thing exists already, or changed in between; read it again."""


class Overloaded(KnliteError):
    """A bound is reached; try again later."""


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
