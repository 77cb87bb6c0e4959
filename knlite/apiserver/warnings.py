"""What is not refused but told all the same: the values of ``Warning`` headers.

Source: RFC 9111 §5.5; Kubernetes ``apiserver/pkg/endpoints/filters/warning.go`` (bounds).
"""

from collections.abc import Iterator

MOST = 4 * 1024
"""Letters of all warnings of one answer together."""
LONGEST = 256
"""Letters of each, where they would be more than that otherwise."""


class Warnings:
    """The texts that one write gives rise to, each once."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def __call__(self, text: str) -> None:
        """Note *text*."""
        self._texts[text] = None

    def __iter__(self) -> Iterator[str]:
        """The values; where they are too many, the first ones and the beginning of each."""
        cut = sum(map(len, self._texts)) > MOST
        left = MOST
        for text in self._texts:
            shown = text[:LONGEST] if cut else text
            left -= len(shown)
            if left < 0:
                return
            yield _value(shown)


def _value(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
    # Headers are Latin-1 by their transport; Kubernetes sends UTF-8 in them.
    return f'299 - "{escaped}"'.encode().decode("latin-1")
