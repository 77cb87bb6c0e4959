"""Which files of a folder that a program runs in are its code, and which are what it writes there.

A command has no project that says so, and works in the author's own folder: a database, a log or an
upload that it leaves there is no change of its code. What counts is told by the name, or by being
executable, as a program that was just compiled is.

Source: knlite's own.
Not here: what is left out of any folder (``ignore.py``).
"""

import os
import re
from pathlib import Path

from knlite.functions.ignore import Ignored, ignored

_SOURCE = re.compile(
    r".*\.(pyi?|[mc]?[jt]sx?|vue|svelte|go|rs|rb|erb|php|java|kts?|scala|groovy|cljs?|cs|fs|vb"
    r"|c|h|cc|cpp|cxx|hpp|m|swift|d|zig|nim|pl|pm|lua|r|jl|exs?|h?eex|erl|hrl|hs|mli?|dart|sh|bash"
    r"|html?|s?css|tmpl|tpl|j2|jinja2?|mustache|hbs|graphql|proto|sql|toml|mod|jar|wasm)"
    r"|(requirements|constraints)[\w.-]*\.txt|package\.json|tsconfig[\w.-]*\.json"
    r"|go\.sum|gemfile|procfile|makefile|rakefile|\.env",
    re.IGNORECASE,
)


def not_sources(folder: Path) -> Ignored:
    """The rule for *folder*: all that is not code of a program that runs in it."""
    left_out = ignored(folder)

    def rule(path: str, is_folder: bool) -> bool:
        if left_out(path, is_folder):
            return True
        if is_folder:
            return False
        name = path.rpartition("/")[2]
        if _SOURCE.fullmatch(name):
            return False
        return "." in name or not os.access(folder / path, os.X_OK)

    return rule
