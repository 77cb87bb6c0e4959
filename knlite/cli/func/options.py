"""Options that several verbs of ``func`` have.

Source: Knative Functions reference §4.3.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path | None,
    typer.Option("--path", "-p", envvar="FUNC_PATH", help="The function's folder; else this one."),
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="FUNC_NAMESPACE", help="Its namespace.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", envvar="FUNC_VERBOSE", help="Say more.")]
Envs = Annotated[
    list[str] | None,
    typer.Option("--env", "-e", metavar="NAME=VALUE|NAME-", help="Set or unset; repeatable."),
]
Image = Annotated[
    str, typer.Option("--image", "-i", envvar="FUNC_IMAGE", help="Full name; wins over --registry.")
]
Registry = Annotated[
    str,
    typer.Option(
        "--registry", "-r", envvar="FUNC_REGISTRY", help="HOST/USER; the image is then .../NAME."
    ),
]
BaseImage = Annotated[str, typer.Option(help="What the image is built on.")]


class Builder(StrEnum):
    """What ``--builder`` takes."""

    pack = "pack"
    s2i = "s2i"
    host = "host"


Builders = Annotated[
    Builder | None,
    typer.Option("--builder", "-b", envvar="FUNC_BUILDER", help="All mean knlite's own."),
]
Platform = Annotated[
    str, typer.Option(envvar="FUNC_PLATFORM", help="For what machine; only this one's.")
]
Username = Annotated[str, typer.Option(envvar="FUNC_USERNAME", help="For --push.")]
Password = Annotated[
    str, typer.Option(envvar="FUNC_PASSWORD", help="For --push.", show_default=False)
]
Token = Annotated[str, typer.Option(envvar="FUNC_TOKEN", help="For --push.")]
# What only builders of func's know, and what images of knlite's do not depend on.
Ignored = Annotated[bool, typer.Option(hidden=True)]
IgnoredText = Annotated[str, typer.Option(hidden=True)]
