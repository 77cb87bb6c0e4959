"""``kill -9`` in the middle of a stream: what got a 202 is delivered, whole."""

import asyncio
from pathlib import Path

import pytest
from benchmarks.crash import crash, is_sound

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_accepted_is_delivered_after_kill_9(tmp_path: Path, seed: int) -> None:
    happened, ledger = asyncio.run(crash(tmp_path, rounds=2, seed=seed, longest=1.0))
    assert sum(each.accepted for each in happened) > 0
    assert ledger.missing() == []
    assert ledger.corrupted == []
    assert ledger.unexplained == []
    assert is_sound(tmp_path)
