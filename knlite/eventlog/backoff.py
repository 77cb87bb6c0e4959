"""How long to wait before a server is tried again."""

import random

FIRST, LONGEST = 0.2, 10.0
"""Seconds."""


def wait_before(failures: int, draw: random.Random) -> float:
    """Seconds before the next attempt, after so many have failed.

    Exponential, with full jitter, so that those who have lost the same server do not all come back
    at once.
    """
    return draw.uniform(0.0, min(LONGEST, FIRST * 2.0 ** min(failures, 16)))
