"""The stages of a cold start as the answer tells them to its client.

Source: W3C Server Timing (``name;desc=…;dur=…`` in milliseconds).
"""

from knlite.facts import ColdStart


def server_timing(cold: ColdStart) -> bytes:
    """The value of ``Server-Timing``."""
    # One that is thawed needs no time to become ready.
    woken = "thaw" if cold.how == "thawed" else "start"
    stages = (
        ("queue", cold.queued),
        (woken, cold.started - cold.queued),
        *((("ready", cold.ready - cold.started),) if woken == "start" else ()),
        ("app", cold.first_byte - cold.ready),
    )
    told = f";desc={cold.how}" if woken == "start" and cold.how else ""
    return ", ".join(
        f"{name}{told if name == 'start' else ''};dur={1000 * seconds:.1f}"
        for name, seconds in stages
    ).encode()
