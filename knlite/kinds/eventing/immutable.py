"""How a change of an immutable field is shown: the old and the new value below its Go path.

Source: knative/pkg ``kmp/diff.go`` (``ShortDiff``).
"""

import json


def changed(where: str, old: str | None, new: str | None) -> str:
    """The entry for one text field; empty if it did not change."""
    if old == new:
        return ""
    return f"{where}:\n\t-: {_quoted(old or '')}\n\t+: {_quoted(new or '')}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
