"""What verbs share: options (where a knlite is, what a request is like), errors as exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from knlite.errors import InvalidInput, KnliteError, NotFound, Unreachable

_EXIT_CODES: tuple[tuple[type[KnliteError], int], ...] = (
    (InvalidInput, 2),
    (NotFound, 3),
    (Unreachable, 4),
    (KnliteError, 1),
)

AdminPort = Annotated[
    int,
    typer.Option(
        "--admin-port", envvar="KNLITE_ADMIN_PORT", min=1, max=65535, help="Port of the admin API."
    ),
]
AdminAddress = Annotated[
    str,
    typer.Option(
        "--admin-address",
        envvar="KNLITE_ADMIN_ADDRESS",
        help="Where the admin API listens; off loopback it wants a token (knlite kubeconfig).",
    ),
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="KNLITE_NAMESPACE", help="Namespace.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Method = Annotated[str, typer.Option("--method", "-X", help="POST if there is data, else GET.")]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A header; repeatable."),
]


@contextmanager
def explaining() -> Iterator[None]:
    """Turn errors into sentences on stderr and exit codes."""
    try:
        yield
    except KnliteError as exc:
        typer.echo(f"knlite: {exc}", err=True)
        raise typer.Exit(next(code for kind, code in _EXIT_CODES if isinstance(exc, kind))) from exc
    except UnicodeEncodeError as exc:
        # Only what a command line brings cannot be written so: bytes of another encoding.
        if exc.encoding != "utf-8":
            raise
        # Not which: it may be a password.
        typer.echo("knlite: an argument is no text in UTF-8", err=True)
        raise typer.Exit(2) from exc
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stderr.close()
        raise typer.Exit(0) from None
