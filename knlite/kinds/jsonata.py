"""What is wrong with a JSONata expression, in the parser's words.

Differs: upstream does not look into an expression; its pods would fail to start. Here a warning and
the status say what is wrong, and where.

Not here: evaluating expressions, which takes as long as they please (``dataplane/jsonata.py``).
"""

import sys
from functools import lru_cache
from typing import Final

LONGEST: Final = 32 * 1024
"""Characters. The parser needs up to half a second for so many, and everything waits meanwhile."""


@lru_cache(maxsize=256)
def problem(expression: str) -> str:
    """Why *expression* cannot be evaluated; empty if it can."""
    if len(expression) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    # Loading it takes longer than most of what a start needs, and few runs have transforms.
    limit = sys.getrecursionlimit()
    from jsonata import JException, Jsonata

    # The library raises the limit of the whole process for itself.
    sys.setrecursionlimit(limit)
    try:
        Jsonata.jsonata(expression)
    except JException as exc:
        return f"{exc} ({exc.get_error()}, at character {exc.get_location()})"
    except RecursionError:
        return "its parts are nested too deeply"
    except Exception as exc:  # noqa: BLE001  Where the parser itself stumbles, the text is at fault.
        return f"it cannot be parsed: {exc}"
    return ""
