"""How a Node.js function is run; Knative Functions reference §4.2."""

import json
from pathlib import Path
from typing import Any

import pytest

from knlite.errors import InstanceFailed
from knlite.functions.making import Making
from knlite.functions.node import install, plan


def project(folder: Path, package: dict[str, Any] | None = None, *files: str) -> Path:
    if package is not None:
        (folder / "package.json").write_text(json.dumps(package))
    for name in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_a_single_file_is_a_function(tmp_path: Path) -> None:
    made = plan(project(tmp_path, None, "index.js"), "node")
    assert (made.entry, made.builds, made.wanted, made.lock) == ("index.js", False, {}, "")


def test_package_json_names_the_module_and_what_is_installed(tmp_path: Path) -> None:
    package = {
        "main": "lib/f.js",
        "scripts": {"build": "x"},
        "dependencies": {"a": "^1"},
        "devDependencies": {"b": "2"},
    }
    made = plan(project(tmp_path, package, "lib/f.js", "package-lock.json"), "node")
    assert (made.entry, made.builds, made.lock) == ("lib/f.js", False, "package-lock.json")
    assert made.wanted == {"dependencies": {"a": "^1"}, "devDependencies": {"b": "2"}}


def test_typescript_is_compiled_by_its_own_script(tmp_path: Path) -> None:
    made = plan(project(tmp_path, {"scripts": {"build": "tsc"}}), "typescript")
    assert (made.entry, made.builds) == ("build/index.js", True)


@pytest.mark.parametrize(
    ("package", "files", "language", "said"),
    [
        pytest.param(None, (), "node", "there is no index.js", id="no module"),
        pytest.param({"main": "a.js"}, (), "node", "there is no a.js", id="another name"),
        pytest.param({}, (), "typescript", "no script 'build'", id="nothing compiles"),
        pytest.param(
            {"dependencies": {"mine": "file:../mine"}},
            ("index.js",),
            "node",
            "mine of the function",
            id="a neighbor",
        ),
    ],
)
def test_what_cannot_be_run_is_said(
    tmp_path: Path, package: dict[str, Any], files: tuple[str, ...], language: str, said: str
) -> None:
    with pytest.raises(InstanceFailed, match=said):
        plan(project(tmp_path, package, *files), language)


def test_a_broken_package_json_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{\n"main": x}')
    with pytest.raises(InstanceFailed, match=r"package\.json line 2 is not valid JSON"):
        plan(tmp_path, "node")


NPM = """#!/bin/sh
[ -L .npmrc ] && grep -q hush .npmrc && mkdir node_modules
"""


async def test_npm_reads_the_projects_settings_of_which_no_copy_is_made(tmp_path: Path) -> None:
    """They may hold a token; a run that is killed leaves what it was filling."""
    folder, tools = tmp_path / "f", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    (tools / "npm").write_text(NPM)
    (tools / "npm").chmod(0o755)
    (folder / ".npmrc").write_text("//registry.example/:_authToken=hush\n")
    modules = await install(
        plan(project(folder, {"dependencies": {"faas-js-runtime": "2"}}, "index.js"), "node"),
        "v20",
        Making(
            name="f",
            folder=folder,
            origin=folder,
            cache_dir=tmp_path / "cache",
            environ={"PATH": f"{tools}:/usr/bin:/bin"},
            report=lambda text, share=None: None,
        ),
    )
    assert modules.is_dir()
    assert not (modules.parent / ".npmrc").is_symlink()
