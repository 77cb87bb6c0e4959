"""The integers of CESQL: 32 bits with a sign.

Source: Eventing data plane reference §6.1, §6.3.
"""

import re

LEAST, MOST = -(2**31), 2**31 - 1

_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,10})")


def integer_of(text: str) -> int | None:
    """The integer that *text* is, with an optional sign; None if it is none or too large."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    value = int(match[1] + match[2])
    return value if LEAST <= value <= MOST else None


def wrapped(value: int) -> int:
    """*value* as 32 bits hold it; what does not fit comes out on the other side, as in Go."""
    return (value - LEAST) % 2**32 + LEAST
