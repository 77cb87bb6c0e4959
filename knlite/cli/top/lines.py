"""``knlite top --json``: each message of the live feed as a line, for scripts."""

import sys
from collections.abc import Sequence
from contextlib import suppress

from knlite.cli.client import Client
from knlite.cli.top.feed import SILENCE

ALL = (
    "graph",
    "instances",
    "load",
    "flow",
    "requests",
    "events",
    "logs",
    "notices",
    "objects",
)


def show(port: int, topics: Sequence[str]) -> None:
    """Print until its knlite ends. Raises ``InvalidInput`` for a topic that there is not."""
    params = {"topics": ",".join(topics or ALL)}
    with suppress(KeyboardInterrupt):
        for topic, data in Client(port).messages("/knlite/live", params, SILENCE):
            # A topic is a word, and the data is JSON already.
            sys.stdout.write(f'{{"topic":"{topic}","data":{data}}}\n')
            sys.stdout.flush()
