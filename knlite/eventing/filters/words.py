"""Values as verdicts quote them."""

import json

LONGEST = 200
"""Characters of a value that are shown; a hostile event shall not fill a log."""


def quoted(text: str) -> str:
    """*text* between double quotes, on one line, cut where it gets long."""
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return json.dumps(shown, ensure_ascii=False)
