"""``knlite bench`` and its options; the work is beside it."""

from pathlib import Path
from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, Header, Json, Method, Namespace, explaining


def add_bench_verb(app: typer.Typer) -> None:
    """Give *app* the verb."""
    app.command()(bench)


def bench(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Its name.")],
    namespace: Namespace = "default",
    cold: Annotated[int, typer.Option(min=0, max=10_000, help="So many starts from zero.")] = 10,
    warm: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="So many requests to what runs.")
    ] = 1000,
    concurrency: Annotated[
        int, typer.Option(min=1, max=1000, help="So many of the warm requests at once.")
    ] = 10,
    path: Annotated[str, typer.Option(help="Path and query behind its URL.")] = "",
    data: Annotated[
        str, typer.Option("--data", "-d", metavar="TEXT|@FILE", help="The data; POST then.")
    ] = "",
    method: Method = "",
    header: Header = None,
    type_: Annotated[
        str, typer.Option("--type", help="Send events of this type (binary mode).")
    ] = "",
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it, too (pip install knlite[bench]).")
    ] = None,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Measure how quick a Service of a running knlite is: from zero, and warm.

    For each start from zero all its instances end first; where the time goes is shown by stages.
    While somebody else sends it requests, it refuses: they would disturb it, and it them.

    \b
    Exit codes: 0 it was measured; 1 it cannot be, or a warm request failed
    \b
    Examples:
      knlite bench hello-python
      knlite bench orders --cold 0 --warm 5000 --concurrency 50 -d '{"id": 1}'
      knlite bench hello-python --png hello.png --json
    """
    with explaining():
        from knlite.cli.bench.run import Wanted, run
        from knlite.cli.invoke import Written

        written = Written(data=data, method=method, headers=header or (), type=type_)
        wanted = Wanted(service, namespace, cold, warm, concurrency, path, written, png)
        raise typer.Exit(run(wanted, admin_port, as_json=as_json))
