"""A line of a log for people: which request wrote it, in short, and what."""

REQUEST = 8
"""Characters of a request's id that are shown: enough to tell it from those around it."""


def of_request(request: str, text: str) -> str:
    """*text*, and the *request* that it was written for; empty if that is not known."""
    return f"[{request[:REQUEST]}] {text}" if request else text
