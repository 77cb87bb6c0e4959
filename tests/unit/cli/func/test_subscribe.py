"""``func subscribe`` edits ``func.yaml`` (Knative Functions reference §4.3)."""

from pathlib import Path

import pytest

from knlite.cli.func.opened import open_function
from knlite.cli.func.subscribe import filters_of, subscribe
from knlite.functions.funcspec import Subscription

FUNC = """\
specVersion: 0.36.0
name: web
runtime: python
created: 2026-01-02T03:04:05Z  # long ago
"""


def test_filters_of_one_source_are_merged_and_another_source_is_added(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text(FUNC)
    for filters, source in ((["type=a", "x=1"], "default"), (["type=b"], "default"), ([], "shop")):
        subscribe(open_function(tmp_path, "subscribe"), filters, source)
    assert open_function(tmp_path, "subscribe").func.deploy.subscriptions == (
        Subscription(source="default", filters={"type": "b", "x": "1"}),
        Subscription(source="shop"),
    )
    assert "# long ago" in (tmp_path / "func.yaml").read_text()


def test_what_is_no_pair_is_told_and_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert filters_of(["a=b", "c", "d=e=f"]) == ({"a": "b"}, ["c", "d=e=f"])
    (tmp_path / "func.yaml").write_text(FUNC)
    subscribe(open_function(tmp_path, "subscribe"), ["nonsense"], "default")
    assert capsys.readouterr().out == "Invalid pair: nonsense\n"
