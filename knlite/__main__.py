"""``python -m knlite``, and the ``knlite`` command."""


def main() -> None:
    """Run the command line."""
    try:
        # Here: a Ctrl-C while it is imported is no news either.
        from knlite.cli.main import app

        app(prog_name="knlite")
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
