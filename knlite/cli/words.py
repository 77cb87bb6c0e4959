"""What a person's words on the command line name: ``ksvc hello``, ``ksvc/hello``."""

from knlite.errors import InvalidInput
from knlite.kinds.catalog import KINDS, find_kind
from knlite.kinds.kindinfo import KindInfo


def resolve(kind: str, name: str) -> tuple[KindInfo, str]:
    """The kind and the name that ``KIND NAME`` or ``KIND/NAME`` mean. Raises ``InvalidInput``."""
    word, slash, rest = kind.partition("/")
    if slash and name:
        raise InvalidInput(f"{kind} {name} gives two names", fix="write KIND NAME or KIND/NAME")
    info = find_kind(word)
    if info is None:
        words = ", ".join(
            each.short_names[0] if each.short_names else each.plural for each in KINDS
        )
        raise InvalidInput(f'there is no kind "{word}"', fix=f"known are: {words}")
    return info, name or rest
