"""What a project lists: pip's "Requirements File Format", PEP 621."""

from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions import environment, requirements


def test_included_files_are_sought_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "requests>=2 \\\n ; python_version > '3'  # why\n\n-r sub/more.txt\n"
        "--constraint=https://example.com/c.txt\n-i https://example.com/simple\n"
    )
    (tmp_path / "sub" / "more.txt").write_text("httpx\n-c pins.txt\n")
    (tmp_path / "sub" / "pins.txt").write_text("httpx==1\n")
    assert requirements.of_file(tmp_path / "requirements.txt") == [
        "requests>=2   ; python_version > '3'",
        "httpx",
        f"-c {tmp_path / 'sub' / 'pins.txt'}",
        "-c https://example.com/c.txt",
        "-i https://example.com/simple",
    ]


@pytest.mark.parametrize("option", ["-c pins.txt", "-cpins.txt", "--constraint pins.txt"])
def test_another_constraint_is_another_environment(tmp_path: Path, option: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"httpx\n{option}\n")

    def key(pin: str) -> str:
        (tmp_path / "pins.txt").write_text(pin)
        lines = requirements.of_file(tmp_path / "requirements.txt")
        return environment.key(tuple(lines), tmp_path)

    assert key("httpx==1") == key("httpx==1") != key("httpx==2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_files_of_other_systems_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "requirements.txt").write_bytes("httpx\r\nrequests\r\n".encode(encoding))
    assert requirements.of_file(tmp_path / "requirements.txt") == ["httpx", "requests"]


def test_a_comment_may_be_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"httpx # caf\xe9\n")
    assert requirements.of_file(tmp_path / "requirements.txt") == ["httpx"]


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\nhttpx\n")
    (tmp_path / "more.txt").write_text("requests\n-r requirements.txt\n")
    assert requirements.of_file(tmp_path / "requirements.txt") == ["requests", "httpx"]


@pytest.mark.parametrize("option", ["-r", "-c"])
def test_an_included_file_that_is_not_there_is_named(tmp_path: Path, option: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{option} gone.txt\n")
    with pytest.raises(InstanceFailed, match=r"requirements\.txt includes gone\.txt"):
        requirements.of_file(tmp_path / "requirements.txt")


@pytest.mark.parametrize(
    "text", ["project = 1", "[project]\ndependencies = 'httpx'", "[project]\ndependencies = [1]"]
)
def test_dependencies_that_are_no_list_of_texts_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(InstanceFailed, match=r"pyproject\.toml lists no dependencies"):
        requirements.of_pyproject(tmp_path / "pyproject.toml")
