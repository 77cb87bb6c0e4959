"""How far a pull is, and what an image is called."""

from typing import Any

import pytest

from knlite.runtime.docker.images import PullProgress, is_called, parted


def step(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    detail = {"current": current, "total": total} if total else {}
    return {"id": layer, "status": status, "progressDetail": detail}


def test_a_pull_tells_how_much_of_all_layers_is_there_and_never_goes_back() -> None:
    progress = PullProgress()
    steps = [
        step("a", "Pulling fs layer"),
        step("a", "Downloading", 50, 100),
        step("b", "Downloading", 0, 100),
        step("a", "Downloading", 50, 100),
        step("a", "Download complete"),
        step("a", "Extracting", 1, 100),
        step("b", "Download complete"),
    ]
    assert [progress.share(each) for each in steps] == [None, 0.5, None, None, None, None, 1.0]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("greet", ("greet", "latest")),
        ("knlite.local/greet:1", ("knlite.local/greet", "1")),
        ("localhost:5000/greet", ("localhost:5000/greet", "latest")),
    ],
)
def test_a_name_without_a_tag_means_latest(name: str, parts: tuple[str, str]) -> None:
    assert parted(name) == parts
    assert is_called({"RepoTags": [":".join(parts)]}, name)
    assert not is_called({"RepoTags": None}, name)
