"""What comes of a push, by what the engine says of it (Docker Engine API, images/push)."""

import pytest

from knlite.errors import InvalidInput, KnliteError
from knlite.runtime.docker.push import require_registry, shares


def layer(name: str, done: int, total: int) -> dict[str, object]:
    return {"status": "Pushing", "id": name, "progressDetail": {"current": done, "total": total}}


def test_all_layers_that_are_known_count() -> None:
    steps = [
        {"status": "The push refers to repository [ghcr.io/ada/web]"},
        layer("a", 50, 100),
        layer("b", 0, 300),
        {"status": "Layer already exists", "id": "c", "progressDetail": {}},
        layer("a", 120, 100),
        layer("b", 300, 300),
    ]
    assert list(shares(steps, "ghcr.io/ada/web")) == [0.5, 0.125, 0.25, 1.0]


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("denied: requested access to the resource is denied", "docker login ghcr.io"),
        ("unauthorized: authentication required", "docker login ghcr.io"),
        ("dial tcp: connection refused", ""),
    ],
)
def test_a_registry_that_refuses_says_why_and_what_to_do(error: str, fix: str) -> None:
    with pytest.raises(KnliteError) as refused:
        list(shares([{"error": error}], "ghcr.io/ada/web:latest"))
    assert refused.value.cause == error
    assert fix in refused.value.fix
    assert bool(fix) == bool(refused.value.fix)


def test_what_is_only_of_this_machine_is_not_pushed() -> None:
    require_registry("ghcr.io/ada/web")
    with pytest.raises(InvalidInput, match="cannot be pushed"):
        require_registry("knlite.local/web:latest")
