"""What a person has to read of why a program did not start.

A Revision's condition holds its last words whole, as Knative has it; of a Python traceback the end
and the author's own line are what helps.

Source: knlite's own.
"""

import re

_FRAME = re.compile(r'File "([^"<]+)", line (\d+)')
_LIBRARIES = ("/site-packages/", "/lib/python", "/functions/runners/")
_WRAPPING = re.compile(r'(Revision "[^"]*" failed with message: )?(Container failed with: )?')
"""What Knative puts around last words, for whoever reads them with the Service."""
_CAUSE = "cause:"
"""As knlite's own errors have it."""
_TRACEBACK = "Traceback (most recent call last)"
_SYNTAX = re.compile(r"\w*(SyntaxError|IndentationError|TabError): ")


def in_short(message: str) -> str:
    """One line of *message*: ``FILE:LINE: ERROR`` of a traceback, else what it says first, and the
    cause."""
    message = _WRAPPING.sub("", message.strip(), count=1)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return ""
    last = lines[-1].removesuffix(".")
    if not (_TRACEBACK in message or _SYNTAX.match(last)):
        causes = (line.removeprefix(_CAUSE).strip() for line in lines if line.startswith(_CAUSE))
        return ": ".join((lines[0], *causes))
    frames = _FRAME.findall(message)
    own = [each for each in frames if not any(part in each[0] for part in _LIBRARIES)]
    if not (own or frames):
        return last
    file, line = (own or frames)[-1]
    return f"{file}:{line}: {last}"
