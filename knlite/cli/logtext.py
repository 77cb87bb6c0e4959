"""A line of a log for people: which request wrote it, in short, and what."""

REQUEST = 6
"""Characters of a request's id that are shown, its last: those of a run begin alike."""


def of_request(request: str, text: str) -> str:
    """*text*, and the *request* that it was written for; empty if that is not known."""
    return f"[{request[-REQUEST:]}] {text}" if request else text
