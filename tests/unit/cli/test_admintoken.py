"""When the admin port has a token, and which."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from knlite.cli.admintoken import admin_token
from knlite.errors import InvalidInput
from knlite.settings import Settings

OPEN = Settings(admin_address="0.0.0.0")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.3.4.5"])
def test_loopback_needs_none(address: str) -> None:
    assert admin_token(Settings(admin_address=address)) == ""


def test_it_is_random() -> None:
    assert len(admin_token(OPEN)) > 40
    assert admin_token(OPEN) != admin_token(OPEN)


def test_it_is_kept_with_the_data_for_its_user_alone(tmp_path: Path) -> None:
    settings = replace(OPEN, data_dir=tmp_path / "data")
    assert admin_token(settings) == admin_token(settings)
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["no folder", "no text"])
def test_where_it_cannot_be_kept_is_said_with_a_way_out(
    tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "data"
    if content is None:
        folder.write_text("a file")
    else:
        folder.mkdir()
        (folder / "token").write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be kept") as caught:
        admin_token(replace(OPEN, data_dir=folder))
    assert caught.value.fix
