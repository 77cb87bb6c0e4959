"""Kubernetes ``apimachinery/pkg/api/resource``: quantities as numbers and as canonical text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.quantities import InvalidQuantity, canonical, parse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("1", 1),
        ("+1", 1),
        (".5", Decimal("0.5")),
        ("100m", Decimal("0.1")),
        ("-250m", Decimal("-0.25")),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1.5Gi", 1536 * 1024**2),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("5n", Decimal("5e-9")),
        (2, 2),
        (0.5, Decimal("0.5")),
    ],
)
def test_reads_every_notation(text: str | int | float, number: int | Decimal) -> None:
    assert parse(text) == number


def test_less_than_the_least_is_the_least_and_more_than_the_most_is_the_most() -> None:
    assert parse("0.1n") == Decimal("1e-9")
    assert parse("9000000Ei") == 2**63 - 1


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1500m", "1500m"),
        ("2000", "2k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("0.5Mi", "512Ki"),
        ("1e3", "1e3"),
        ("1200e1", "12e3"),
        ("0Mi", "0"),
        ("-1000m", "-1"),
    ],
)
def test_the_canonical_text_needs_no_point_and_the_largest_suffix(text: str, stored: str) -> None:
    assert canonical(text) == stored


@pytest.mark.parametrize(
    "text", ["", "x", "1 Mi", "1,5", "--1", "1.2.3", "Mi", ".", "1\n", "\u0661"]
)
def test_refuses_what_is_no_quantity(text: str) -> None:
    with pytest.raises(InvalidQuantity, match="quantities must match the regular expression"):
        parse(text)


@pytest.mark.parametrize("text", ["1mi", "1K", "1e", "1e1000"])
def test_refuses_an_unknown_suffix(text: str) -> None:
    with pytest.raises(InvalidQuantity, match="unable to parse quantity's suffix"):
        canonical(text)


suffixes = st.sampled_from(["", "m", "u", "n", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3"])
quantities = st.builds(
    lambda number, suffix: f"{number}{suffix}",
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
    suffixes,
)


@given(quantities)
def test_the_canonical_text_stands_for_the_same_number_and_stays_as_it_is(text: str) -> None:
    stored = canonical(text)
    assert parse(stored) == parse(text)
    assert canonical(stored) == stored
