"""Facts as sentences that a terminal and the console both say."""

from knlite.facts import ColdStart


def cold_start(fact: ColdStart) -> str:
    """How long the first answer took, and what of it."""
    if fact.how == "thawed":
        thaw, app = fact.started - fact.queued, fact.first_byte - fact.ready
        return (
            f"thawed, answer after {fact.first_byte * 1000:.1f} ms "
            f"(queue {fact.queued * 1000:.1f}, thaw {thaw * 1000:.1f}, first byte {app * 1000:.1f})"
        )
    stages = (
        ("queue", fact.queued),
        ("start", fact.started - fact.queued),
        ("ready", fact.ready - fact.started),
        ("first byte", fact.first_byte - fact.ready),
    )
    parts = ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in stages)
    return f"cold start {fact.first_byte * 1000:.0f} ms ({parts})"
