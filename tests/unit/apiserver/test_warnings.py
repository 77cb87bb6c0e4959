"""Warning headers (RFC 9111 §5.5; bounds of Kubernetes' API server)."""

from knlite.apiserver.warnings import LONGEST, MOST, Warnings


def said(*texts: str) -> list[str]:
    warnings = Warnings()
    for text in texts:
        warnings(text)
    return list(warnings)


def test_a_text_is_told_once_and_quoted() -> None:
    assert said('a "b" \\', "c", 'a "b" \\') == ['299 - "a \\"b\\" \\\\"', '299 - "c"']


def test_no_text_makes_another_header() -> None:
    assert said("a\r\nSet-Cookie: b") == ['299 - "a  Set-Cookie: b"']


def test_few_long_ones_are_told_whole() -> None:
    (value,) = said("x" * 3_000)
    assert "x" * 3_000 in value


def test_many_are_cut() -> None:
    values = said(*(f"{number} " + "x" * 1_000 for number in range(1_000)))
    assert 1 < len(values) == MOST // LONGEST
    assert values[0].startswith('299 - "0 xxx')
    assert sum(map(len, values)) < MOST * 1.1
