"""The group ``knlite func`` and its verbs that create, configure and show functions.

Flags, meanings and texts are those of ``func``; each verb's work is in a module of its own. Every
flag can be given as ``FUNC_`` and its name, too.

Source: Knative Functions reference §4.3; knative/func cmd/.
Not here: what builds, runs and deploys (``running.py``).
"""

import typer

from knlite.cli.func.running import add_running_verbs


def add_func_verbs(app: typer.Typer) -> None:
    """Give *app* the group ``func``."""
    func_app = typer.Typer(no_args_is_help=True, help="Create, run and change functions.")
    app.add_typer(func_app, name="func")
    add_running_verbs(func_app)
