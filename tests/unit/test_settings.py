"""Sizes as people write them."""

import pytest

from knlite.errors import InvalidInput
from knlite.settings import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("64K", 64 * 1024),
        ("64k", 64 * 1024),
        ("512M", 512 * 2**20),
        ("512MiB", 512 * 2**20),
        ("1G", 2**30),
        ("1Gi", 2**30),
        ("1.5GB", 3 * 2**29),
        (" 2T ", 2**41),
    ],
)
def test_a_size_is_read_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size("--memory", text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "1 G", "1P", "1e9", "nan", "1iB", "9" * 400])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="--memory") as refused:
        parse_size("--memory", text)
    assert "1G" in refused.value.fix
