"""``knlite func`` on folders: create, config, languages, templates, and who decides what.

Knative Functions reference §4.3.
"""

import json
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from knlite.cli.main import app
from knlite.functions import funcyaml
from knlite.functions.funcspec import EmptyDir, Env, FuncYaml, Git, Label, Volume


class Func:
    """Runs ``knlite func`` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "hello"
        self._home = home
        self.code = 0

    def __call__(self, *words: str, **environ: str) -> str:
        env = {"HOME": str(self._home), "XDG_CONFIG_HOME": "", "KNLITE_ADMIN_PORT": "1", **environ}
        result = CliRunner().invoke(app, ["func", *words], env=env)
        self.code = result.exit_code
        return result.output

    def done(self, *words: str, **environ: str) -> str:
        output = self(*words, **environ)
        assert self.code == 0, output
        return output

    @property
    def func(self) -> FuncYaml:
        found = funcyaml.load(self.folder)
        assert isinstance(found, FuncYaml)
        return found


@pytest.fixture
def func(tmp_path: Path) -> Func:
    func = Func(tmp_path)
    func.done("create", "-l", "python", str(func.folder))
    return func


def test_create_says_what_and_where(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    output = Func(tmp_path).done("init", "-l", "go", "-t", "cloudevents", str(folder))
    assert output == f"Created go function in {folder}\n"
    assert funcyaml.load(folder).invoke == "cloudevent"  # type: ignore[union-attr]


def test_a_flag_wins_over_its_variable_and_that_over_the_file(tmp_path: Path) -> None:
    func = Func(tmp_path)
    (tmp_path / ".config" / "func").mkdir(parents=True)
    (tmp_path / ".config" / "func" / "config.yaml").write_text("language: node\n")
    for name, words, environ in (
        ("node", (), {}),
        ("go", (), {"FUNC_LANGUAGE": "go"}),
        ("python", ("-l", "python"), {"FUNC_LANGUAGE": "go"}),
    ):
        func.folder = tmp_path / f"a-{name}"
        func.done("create", *words, str(func.folder), **environ)
        assert func.func.runtime == name


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["x"], 2, "Missing required language", id="no language"),
        pytest.param(["-l", "cobol", "x"], 2, "'cobol' is not recognized", id="language"),
        pytest.param(["-l", "go", "-t", "x", "x"], 2, "parliament", id="template"),
        pytest.param(["-l", "go", "-t", "mine/x", "x"], 2, "repository mine", id="repository"),
        pytest.param(["-l", "go", "X"], 2, "Function name 'X' must consist", id="name"),
    ],
)
def test_what_cannot_be_created_says_what_can(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    func = Func(tmp_path)
    *options, name = words
    said = said.replace("parliament", "Available templates")
    assert said in func("create", *options, str(tmp_path / name))
    assert func.code == code
    assert not (tmp_path / name).exists()


def test_templates_of_an_added_repository_are_listed_and_used(tmp_path: Path) -> None:
    func = Func(tmp_path)
    template = tmp_path / ".config" / "func" / "repositories" / "ours" / "python" / "greeter"
    template.mkdir(parents=True)
    (template / "func.py").write_text("def main(context): return 'hi'\n")
    assert "ours/greeter" in func.done("templates", "python").split()
    func.done("create", "-l", "python", "-t", "ours/greeter", str(func.folder))
    assert (func.folder / "func.py").is_file()
    shown = func.done("templates", "--json", "-r", str(template.parents[1]))
    assert json.loads(shown) == {"python": ["greeter"]}
    assert json.loads(func.done("languages", "--json")) == ["docker", "go", "node", "python"]


def test_variables_are_added_listed_and_removed(func: Func) -> None:
    place = ("-p", str(func.folder))
    assert "There aren't any configured" in func.done("config", "envs", *place)
    func.done("config", "envs", "add", "--name", "A", "--value", "b", *place)
    func.done("config", "env", "add", "--value", "{{ secret:tokens }}", *place)
    assert func.func.run.envs == (Env(name="A", value="b"), Env(value="{{ secret:tokens }}"))
    listed = func.done("config", "envs", *place)
    assert ' -  Env "A" with value "b"' in listed
    assert ' -  All key=value pairs from Secret "tokens"' in listed
    entries = json.loads(func.done("config", "envs", "-o", "json", *place))
    assert entries == [
        {"Name": "A", "Value": "b"},
        {"Name": None, "Value": "{{ secret:tokens }}"},
    ]
    func.done("config", "envs", "rm", "--name", "A", *place)
    assert func.func.run.envs == (Env(value="{{ secret:tokens }}"),)
    assert "there is no A" in func("config", "envs", "remove", "--name", "A", *place)
    assert func.code == 3
    wrong = func("config", "envs", "add", "--name", "1A", "--value", "b", *place)
    assert 'env entry #1 has invalid name set: "1A"' in wrong
    assert func.code == 2


def test_what_a_file_says_does_not_command_the_terminal(func: Func) -> None:
    with (func.folder / "func.yaml").open("a") as stream:
        stream.write('run: {envs: [{name: A, value: "b\\e[2J"}]}\n')
    listed = func.done("config", "envs", "-p", str(func.folder))
    assert "\x1b" not in listed
    assert "b\ufffd[2J" in listed


def test_what_is_no_text_is_refused(func: Func) -> None:
    before = (func.folder / "func.yaml").read_text()
    for words in (
        ("config", "envs", "add", "--name", "A", "--value", "\udcff", "-p", str(func.folder)),
        ("list", "-n", "\udcff"),
    ):
        assert "is no text in UTF-8" in func(*words)
        assert func.code == 2
    assert (func.folder / "func.yaml").read_text() == before


def test_labels_are_added_and_removed(func: Func) -> None:
    place = ("-p", str(func.folder))
    func.done("config", "labels", "add", "--name", "team", "--value", "{{ env:TEAM }}", *place)
    assert func.func.deploy.labels == (Label(key="team", value="{{ env:TEAM }}"),)
    assert 'local env variable "TEAM"' in func.done("config", "labels", *place)
    entries = json.loads(func.done("config", "labels", "-o", "json", *place))
    assert entries == [{"Key": "team", "Value": "{{ env:TEAM }}"}]
    removed = func.done("config", "labels", "remove", "--name", "team", *place)
    assert removed == "Label was removed from the function configuration\n"
    assert func.func.deploy.labels == ()


def test_volumes_are_added_and_removed(func: Func) -> None:
    place = ("-p", str(func.folder))
    added = func.done(
        "config", "volumes", "add", "-t", "secret", "-s", "tokens", "-m", "/t", *place
    )
    assert added.endswith('Added: Secret "tokens" at path: "/t"\n')
    limits = ("--size", "1Gi", "--medium", "Memory")
    func.done("config", "volumes", "add", "-t", "emptydir", "-m", "/tmp/x", *limits, *place)
    empty = EmptyDir(medium="Memory", size_limit="1Gi")
    assert func.func.run.volumes == (
        Volume(secret="tokens", path="/t"),
        Volume(empty_dir=empty, path="/tmp/x"),
    )
    assert 'EmptyDir in memory with size limit "1Gi"' in func.done("config", "volumes", *place)
    for wrong, said in (
        (("-t", "secret", "-s", "s"), "--mount-path is required"),
        (("-t", "secret", "-s", "s", "-m", "t"), "must be an absolute path"),
        (("-t", "pvc", "-m", "/x"), "--source is required for pvc volumes"),
        (("-t", "emptydir", "-m", "/x", "--medium", "Disk"), "invalid storage medium (Disk)"),
        (("-t", "secret", "-s", "s", "-m", "/t/"), "duplicate path"),
    ):
        assert said in func("config", "volumes", "add", *wrong, *place)
        assert func.code == 2
    assert "no volume found with mount path: /u" in func(
        "config", "volumes", "remove", "-m", "/u", *place
    )
    assert func.code == 3
    removed = func.done("config", "volumes", "remove", "-m", "/t", *place)
    assert removed.endswith("Removed volume at path: /t\n")
    assert len(func.func.run.volumes) == 1


def test_git_is_set_and_removed(func: Func) -> None:
    place = ("-p", str(func.folder))
    func.done("config", "git", "set", "-g", "https://example.com/a.git", "-t", "main", *place)
    assert func.func.build.git == Git(url="https://example.com/a.git", revision="main")
    func.done("config", "git", "remove", *place)
    assert func.func.build.git == Git()


def test_where_nobody_can_be_asked_it_says_what_to_give(func: Func) -> None:
    place = ("-p", str(func.folder))
    for words in (("config",), ("config", "envs", "add"), ("config", "volumes", "add")):
        assert "nobody to ask" in func(*words, *place)
        assert func.code == 2


def test_without_a_function_or_a_knlite_it_says_what_to_do(func: Func, tmp_path: Path) -> None:
    said = func("describe", "-p", str(tmp_path))
    assert f"'{tmp_path}' does not contain an initialized function" in said
    assert func.code == 2
    for words in (("list",), ("describe", "hello"), ("delete", "hello")):
        assert "start one with: knlite up" in func(*words)
        assert func.code == 4


def test_a_function_that_was_not_deployed_from_here_is_not_deleted_there(func: Func) -> None:
    said = func("delete", "-p", str(func.folder))
    assert 'function "hello" is not deployed' in said
    assert func.code == 3
    deployed = replace(func.func, deploy=replace(func.func.deploy, namespace="shop"))
    funcyaml.save(func.folder, deployed)
    func("delete", "-p", str(func.folder))
    assert func.code == 4  # Nobody to ask, and it stays where it is.
    assert func.func == deployed


def test_only_flags_contradict_flags(func: Func) -> None:
    for words, said in (
        (("delete", "hello", "-p", "."), "cannot specify both name and path"),
        (("describe", "hello", "--path=."), "cannot specify both name and path"),
        (("describe", "-n", "shop"), "must also specify a name when specifying namespace"),
        (("list", "-A", "-n", "shop"), "both --namespace and --all-namespaces specified"),
    ):
        assert said in func(*words)
        assert func.code == 2
    variables = {"FUNC_NAMESPACE": "shop", "FUNC_PATH": str(func.folder)}
    for asked in (("delete", "hello"), ("describe", "hello"), ("describe",), ("list", "-A")):
        func(*asked, **variables)
        assert func.code == 4, asked


def test_the_environment_names_what_decides(func: Func) -> None:
    shown = json.loads(
        func.done("environment", "-p", str(func.folder), FUNC_REGISTRY="r", FUNC_PASSWORD="p")
    )
    assert shown["SpecVersion"] == "0.36.0"
    assert shown["Environment"] == ["FUNC_REGISTRY=r"]
    assert shown["Function"]["name"] == "hello"
    assert shown["Defaults"]["Builder"] == "pack"
    assert "builder: pack" in func.done("env", "-f", "yaml", "-p", str(func.folder))


def git_repository(folder: Path) -> str:
    """A repository with one template, and a branch with another."""
    (folder / "python" / "greeter").mkdir(parents=True)
    (folder / "python" / "greeter" / "func.py").write_text("def main(context): return 'hi'\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        (*identity, "commit", "-q", "-m", "one"),
        ("checkout", "-q", "-b", "next"),
        ("mv", "python/greeter", "python/other"),
        (*identity, "commit", "-q", "-m", "two"),
        ("checkout", "-q", "main"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return f"file://{folder}"


def test_a_git_repository_is_kept_renamed_and_removed(tmp_path: Path) -> None:
    func = Func(tmp_path)
    url = git_repository(tmp_path / "templates")
    # A bare clone is what a server has; beside it a folder is only copied.
    subprocess.run(["git", "clone", "-q", "--bare", url, str(tmp_path / "served.git")], check=True)
    served = f"file://{tmp_path}/served.git"
    func.done("repository", "add", "ours", f"{served}#next")
    assert func.done("repository", "list", "-v").split() == ["default", "ours", served]
    assert "ours/other" in func.done("templates", "python").split()
    assert "already exists" in func("repo", "add", "ours", url)
    func.done("repository", "rename", "ours", "mine")
    func.done("create", "-l", "python", "-t", "mine/other", str(func.folder))
    func.done("repository", "remove", "mine")
    assert func.done("repository", "list") == "default\n"
    assert func.done("templates", "python", "-r", served).split() == ["greeter"]
    assert "branch none" in func("templates", "-r", f"{served}#none")
    assert func.code == 1
    for name in ("default", "../x", ".x", "a/b"):
        func("repository", "remove", name)
        assert func.code == 2
