"""The token of the admin port.

Source: ``docs/adr/0014-what-the-api-answers.md``.
"""

import secrets

from knlite.cli.privatefile import write_private
from knlite.errors import InvalidInput
from knlite.settings import Settings, is_loopback

_BYTES = 32


def admin_token(settings: Settings) -> str:
    """The token that the admin port shall want: none on loopback, else a random one.

    With a data directory it stays the same, so that kubeconfigs stay good. Raises ``InvalidInput``
    if it cannot be kept there.
    """
    if is_loopback(settings.admin_address):
        return ""
    token = secrets.token_urlsafe(_BYTES)
    if settings.data_dir is None:
        return token
    file = settings.data_dir / "token"
    try:
        kept = file.read_text(encoding="utf-8").strip() if file.exists() else ""
        if not kept:
            write_private(file, f"{token}\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(
            f"the token of the admin port cannot be kept in {file}",
            cause=str(exc),
            fix="give --data-dir a folder that can be read and written, or remove the file",
        ) from exc
    return kept or token
