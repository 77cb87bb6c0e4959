"""``python -m knlite``, and the ``knlite`` command."""

from knlite.cli.main import app


def main() -> None:
    """Run the command line."""
    app(prog_name="knlite")


if __name__ == "__main__":
    main()
