"""Opens the screen of ``knlite top``, or prints the feed."""

from collections.abc import Sequence

from knlite.cli.client import Client
from knlite.errors import InvalidInput


def look(port: int, topics: Sequence[str], *, as_json: bool, terminal: bool) -> None:
    """Until the person or the run ends it.

    Raises ``Unreachable`` if no knlite answers when it begins, and ``InvalidInput``.
    """
    if as_json:
        from knlite.cli.top.lines import show

        show(port, topics)
        return
    if topics:
        raise InvalidInput("--topic goes with --json", fix="leave it out, or add --json")
    if not terminal:
        raise InvalidInput(
            "knlite top needs a terminal", fix="print what it would show: knlite top --json"
        )
    # Later it may come and go; when it is not there now, something else is wrong.
    Client(port).gateway()

    from knlite.cli.top.app import Top

    Top(port).run(mouse=False)
