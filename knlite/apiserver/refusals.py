"""What this door alone refuses, whatever the registry would say.

Source: Kubernetes ``apimachinery/pkg/api/errors`` (one reason for each).
"""

from knlite.errors import KnliteError


class TooLarge(KnliteError):
    """The body is larger than this server takes."""


class Unsupported(KnliteError):
    """The body is of a media type that this server does not read here."""


class NotAcceptable(KnliteError):
    """Nothing that the client accepts is served."""


class MethodNotAllowed(KnliteError):
    """The verb is not offered for that path."""
