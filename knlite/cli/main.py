"""The ``knlite`` command: one verb per file, imported when it is used."""

import typer

app = typer.Typer()
