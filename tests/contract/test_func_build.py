"""``func build`` without an engine, and the files by which the real ``func`` knows of it.

Source: Knative Functions reference §4.1 (beside func.yaml), §4.3, §4.7.
"""

from pathlib import Path

import pytest

from knlite.cli.func.build import build_function
from knlite.cli.func.deploy import Options
from knlite.cli.func.opened import open_function
from knlite.errors import InstanceFailed, InvalidInput, Unreachable

FUNC = """\
specVersion: 0.36.0
name: web
runtime: python
created: 2026-01-02T03:04:05Z
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "func.yaml").write_text(FUNC)
    (folder / "func.py").write_text("def main(context):\n    return 'hello', 200\n")
    return folder


def built(folder: Path, options: Options | None = None, platform: str = "") -> None:
    build_function(open_function(folder, "build"), options or Options(), "process", platform)


def test_what_has_not_changed_is_not_built_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built(folder)
    assert "🙌 Function built: knlite.local/web:latest" in capsys.readouterr().err
    assert (folder / ".func" / "built-image").read_text() == "knlite.local/web:latest"
    built(folder)
    # A new time is no change.
    (folder / "func.py").touch()
    built(folder)
    assert capsys.readouterr().err == 2 * "function up-to-date. Force rebuild with --build\n"
    built(folder, Options(build="true"))
    assert "🙌" in capsys.readouterr().err
    (folder / "func.py").write_text("def main(context):\n    return 'ho', 200\n")
    built(folder)
    assert "🙌" in capsys.readouterr().err
    # Nothing had to be written down for that.
    assert (folder / "func.yaml").read_text() == FUNC


def test_a_registry_is_remembered_unless_the_build_fails(folder: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be pushed"):
        built(folder, Options(registry="ghcr.io/ada", push=True))
    assert (folder / "func.yaml").read_text() == FUNC
    built(folder, Options(registry="ghcr.io/ada"))
    assert "registry: ghcr.io/ada\n" in (folder / "func.yaml").read_text()
    assert (folder / ".func" / "built-image").read_text() == "ghcr.io/ada/web:latest"


def test_func_yaml_is_as_it_was_when_the_code_cannot_be_built(folder: Path) -> None:
    (folder / "func.py").write_text("def nothing(): ...\n")
    with pytest.raises(InstanceFailed, match="has no handler"):
        built(folder, Options(builder="s2i"))
    assert (folder / "func.yaml").read_text() == FUNC


def test_what_can_never_be_built_here_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="platform"):
        built(folder, platform="linux/s390x")
    with pytest.raises(InvalidInput, match="digest"):
        built(folder, Options(image=f"ghcr.io/ada/web@sha256:{'0' * 64}"))
