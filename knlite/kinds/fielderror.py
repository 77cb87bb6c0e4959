"""Admission errors as values, in Knative's grammar.

An error is ``MESSAGE: PATH, PATH`` and, when it has details, a new line with the details. Errors
that differ only in their paths are printed once with all paths; the whole list is sorted by
message.

Source: knative/pkg ``apis/field_error.go``; Knative reference §0.1 (Serving), §1.1 (Eventing).
Not here: which field is wrong (each kind's own module); wrong types and unknown fields
(``codec.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

Level = Literal["error", "warning"]
Errors = tuple["FieldError", ...]

MISSING: Final = "missing field(s)"
DISALLOWED: Final = "must not set the field(s)"
INVALID: Final = "invalid value: "
INVALID_KEY: Final = "invalid key name "


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint about one or several fields; a warning does not refuse the object."""

    message: str
    paths: tuple[str, ...] = ()
    details: str = ""
    level: Level = "error"

    def __str__(self) -> str:
        text = f"{self.message}: {', '.join(self.paths)}"
        return f"{text}\n{self.details}" if self.details else text


def missing(*paths: str, details: str = "") -> FieldError:
    """A required field is absent."""
    return FieldError(MISSING, paths, details)


def disallowed(*paths: str, details: str = "") -> FieldError:
    """A field is present that this server does not accept."""
    return FieldError(DISALLOWED, paths, details)


def invalid(value: object, path: str, details: str = "") -> FieldError:
    """A field holds a value that its rule refuses."""
    return FieldError(f"{INVALID}{value}", (path,), details)


def out_of_bounds(value: object, lower: object, upper: object, path: str) -> FieldError:
    """A number or duration lies outside its range (both ends belong to it)."""
    return FieldError(f"expected {lower} <= {value} <= {upper}", (path,))


def neither(*paths: str) -> FieldError:
    """None of a one-of is set."""
    return FieldError("expected exactly one, got neither", tuple(sorted(paths)))


def both(*paths: str) -> FieldError:
    """Several of a one-of are set."""
    return FieldError("expected exactly one, got both", tuple(sorted(paths)))


def invalid_key(key: str, path: str, details: str = "") -> FieldError:
    """A map has a key that its rule refuses."""
    return FieldError(f'{INVALID_KEY}"{key}"', (path,), details)


def generic(message: str, *paths: str, details: str = "") -> FieldError:
    """Any other sentence about *paths*."""
    return FieldError(message, paths, details)


def under(prefix: str, errors: Iterable[FieldError]) -> Errors:
    """*errors* of a child, seen from its parent: every path gets *prefix*.

    *prefix* is a field name, a dotted path, an index (``[0]``) or a map key (``[key]``). An error
    without a path stays without one, as upstream.
    """
    return tuple(
        FieldError(
            error.message,
            tuple([_joined(prefix, path) for path in error.paths]),
            error.details,
            error.level,
        )
        for error in errors
    )


def merged(errors: Iterable[FieldError]) -> Errors:
    """Equal complaints united (paths sorted, once each), then sorted by message."""
    ordered = sorted(errors, key=_identity)
    united = [
        FieldError(
            message=message,
            paths=tuple(sorted({path for error in group for path in error.paths})),
            details=details,
            level=level,
        )
        for (message, details, level), group in groupby(ordered, key=_identity)
    ]
    return tuple(sorted(united, key=lambda error: error.message))


def rendered(errors: Iterable[FieldError]) -> str:
    """The text a client sees for *errors*."""
    return "\n".join(str(error) for error in merged(errors))


def refusing(errors: Iterable[FieldError]) -> Errors:
    """Those of *errors* that refuse the object."""
    return tuple(error for error in errors if error.level == "error")


def _identity(error: FieldError) -> tuple[str, str, Level]:
    return (error.message, error.details, error.level)


def _joined(prefix: str, path: str) -> str:
    if not path:
        return prefix
    # A key with dots is cut at them, as upstream cuts it, and then is none any more.
    first = path.partition(".")[0]
    indexed = first.startswith("[") and first.endswith("]")
    return prefix + path if indexed else f"{prefix}.{path}"
