"""What is started for a function: from a snapshot, told in the words of the author's folder."""

import shutil
from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions.snapshot import take
from knlite.runtime.docker.container import Image
from knlite.runtime.port import ContainerLaunch, Prepared
from knlite.runtime.process.programs import Program, program_of
from knlite.serving.workload import FunctionProject

GREETS = 'def main(context):\n    return "hello", 200\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hello"
    made.mkdir()
    (made / "func.py").write_text(GREETS)
    return made


async def program(folder: Path, code: str = "", reports: list[str] | None = None) -> Program:
    project = FunctionProject(
        folder=str(folder), name="hello", language="python", image="hello", code=code
    )

    def report(text: str, share: float | None = None) -> None:
        if reports is not None:
            reports.append(text)

    made, _ = await program_of(
        project, cache_dir=folder.parent / "cache", environ={}, debug=False, report=report
    )
    return made


async def test_a_function_runs_from_a_snapshot_of_its_folder(folder: Path) -> None:
    made = await program(folder)
    (folder / "func.py").write_text("changed\n")
    assert made.origin == folder
    assert made.folder != folder
    assert (made.folder / "func.py").read_text() == GREETS


async def test_a_revision_that_names_its_code_runs_that(folder: Path) -> None:
    taken = await take(folder, name="hello", cache_dir=folder.parent / "cache")
    (folder / "func.py").write_text("changed\n")
    assert (await program(folder, taken.digest)).folder == taken.folder


async def test_a_revision_whose_code_is_gone_says_what_it_runs(folder: Path) -> None:
    reports: list[str] = []
    taken = await take(folder, name="hello", cache_dir=folder.parent / "cache")
    assert (await program(folder, taken.digest, reports)).folder == taken.folder
    shutil.rmtree(taken.folder)
    (folder / "func.py").write_text(GREETS + "# changed\n")
    await program(folder, taken.digest, reports)
    assert reports == [f"the code of this revision is gone; it runs what is in {folder} now"]


async def test_what_it_says_names_the_files_that_its_author_knows(folder: Path) -> None:
    made = await program(folder)
    heard: list[str] = []
    log = made.in_its_words(lambda _, line: heard.append(line))
    log("stderr", f'File "{made.folder}/func.py", line 1')
    assert heard == [f'File "{folder}/func.py", line 1']


async def test_so_does_what_is_wrong_with_it(folder: Path) -> None:
    (folder / "func.py").write_text("def greet(context): ...\n")
    with pytest.raises(InstanceFailed, match=f"{folder}/func.py has no handler: it defines greet"):
        await program(folder)


async def test_values_of_variables_are_not_shown(folder: Path) -> None:
    project = FunctionProject(
        folder=str(folder),
        name="hello",
        language="python",
        image="hello",
        envs={"PASSWORD": "hush"},
        build_envs={"TOKEN": "hush"},
    )
    made, _ = await program_of(
        project,
        cache_dir=folder.parent / "cache",
        environ={},
        debug=False,
        report=lambda text, share=None: None,
    )
    assert made.envs["PASSWORD"] == "hush"
    container = ContainerLaunch(name="c", prepared=Prepared(made, ""), env=made.envs)
    image = Image(id="", name="", user="", envs=made.envs)
    assert "hush" not in repr((project, made, container, image))
