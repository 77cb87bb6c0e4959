"""Inputs that once led to a fault, or nearly, at one end of HTTP/1.1, and a little chance.

Found by ``python -m benchmarks.fuzz``, which goes on for as long as it is given.
"""

import random

import pytest
from benchmarks.fuzz import SEEDS, VECTORS, corpus, mutate

from tests.contract.wire_oracles import CHECKS

KEPT = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in VECTORS.glob("*/*")}


@pytest.mark.anyio
@pytest.mark.parametrize("name", sorted(KEPT))
async def test_what_was_found_once_stays_right(name: str) -> None:
    CHECKS[name.partition("/")[0]](KEPT[name])


@pytest.mark.anyio
@pytest.mark.parametrize("target", sorted(SEEDS))
async def test_a_little_chance(target: str) -> None:
    draw, pool = random.Random(1), corpus(target)
    for _ in range(300):
        CHECKS[target](mutate(draw.choice(pool), pool, draw))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
