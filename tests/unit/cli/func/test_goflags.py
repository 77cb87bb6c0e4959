"""Flags in Go's spelling and in Python's mean the same (``func`` uses spf13/pflag)."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from knlite.cli.func.goflags import GoFlags


def parsed(*arguments: str) -> str:
    app = typer.Typer()

    @app.command(cls=GoFlags)
    def deploy(
        push: Annotated[bool, typer.Option("--push/--no-push", "-u")] = True,
        container: Annotated[bool | None, typer.Option("--container/--no-container")] = None,
        as_json: Annotated[bool, typer.Option("--json")] = False,
        build: Annotated[str, typer.Option()] = "auto",
        env: Annotated[list[str] | None, typer.Option("--env", "-e")] = None,
    ) -> None:
        typer.echo(f"{push} {container} {as_json} {build} {env}")

    found = CliRunner().invoke(app, list(arguments))
    return found.stdout.strip() if found.exit_code == 0 else f"exit {found.exit_code}"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        pytest.param([], "True None False auto None", id="nothing"),
        pytest.param(["--push=false"], "False None False auto None", id="false"),
        pytest.param(["-u=0"], "False None False auto None", id="short and 0"),
        pytest.param(["--no-push"], "False None False auto None", id="as in Python"),
        pytest.param(["--container=true"], "True True False auto None", id="true"),
        pytest.param(["--container=F"], "True False False auto None", id="F"),
        pytest.param(["--json=false"], "True None False auto None", id="no opposite"),
        pytest.param(["--build"], "True None False true None", id="a value that may be left out"),
        pytest.param(["--build", "--push=false"], "False None False true None", id="and another"),
        pytest.param(["--build=false"], "True None False false None", id="or not"),
        pytest.param(["-e", "--push=false"], "True None False auto ['--push=false']", id="a value"),
        pytest.param(["-e=A=b"], "True None False auto ['A=b']", id="short with a value"),
        pytest.param(["--push=maybe"], "exit 2", id="neither"),
    ],
)
def test_both_spellings(arguments: list[str], meant: str) -> None:
    assert parsed(*arguments) == meant
