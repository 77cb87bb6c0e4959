"""Sockets, connections and coroutines that the tests of a file leave open are told of there."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """Has the collector come when the last fixture of a file has ended.

    Else it comes in whatever test it happens to, which then fails for another one.
    """
    yield
    gc.collect()
