"""From the text of a CESQL expression to its tree, within limits of length and depth.

Not here: the grammar (``grammar.py``), which is loaded with the first expression, for Lark takes as
long to load as the whole command line.
"""

from functools import lru_cache

from knlite.kinds.cesql import syntax
from knlite.kinds.cesql.syntax import Expression, NotCESQL

LONGEST = 16_384
"""Characters of an expression."""
DEEPEST = 100
"""Expressions inside one another: every evaluation goes as deep."""


@lru_cache(maxsize=256)
def parse(text: str) -> Expression:
    """The tree of *text*. Raises ``NotCESQL``."""
    from knlite.kinds.cesql.grammar import read

    if len(text) > LONGEST:
        raise NotCESQL(f"it has {len(text)} characters; at most {LONGEST} are allowed")
    root = read(text)
    if any(depth > DEEPEST for _, depth in syntax.walk(root)):
        raise NotCESQL(f"it has expressions nested more than {DEEPEST} deep")
    return root
