"""New functions: what is written, and what stands in the way; Knative Functions reference §4.3."""

import os
from pathlib import Path

import pytest

from knlite.errors import Conflict, InvalidInput, KnliteError
from knlite.functions import creation, funcyaml
from knlite.functions.creation import create
from knlite.functions.funcspec import FuncYaml
from knlite.functions.python import plan
from knlite.functions.templaterepository import Template, built_in, in_folder, opened

CREATED = "2026-01-02T03:04:05.000000+00:00"
EVERY = [(each.language, each.name) for each in built_in().templates]


def template(language: str = "python", name: str = "http") -> Template:
    found = built_in().find(language, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("language", "name"), EVERY)
def test_each_template_becomes_a_function_that_reads_back(
    tmp_path: Path, language: str, name: str
) -> None:
    folder = tmp_path / "deep" / "hello"
    create(folder, template(language, name), created=CREATED)
    func = funcyaml.load(folder)
    assert isinstance(func, FuncYaml)
    assert (func.name, func.runtime, func.created) == ("hello", language, CREATED)
    assert func.invoke == ("cloudevent" if "cloudevents" in name else "")
    assert (folder / "README.md").is_file()
    assert "/.func\n" in (folder / ".gitignore").read_text()
    assert (folder / ".funcignore").is_file()
    assert not (folder / "manifest.yaml").exists()


@pytest.mark.parametrize("name", ["http", "parliament-http"])
def test_a_new_python_function_for_http_installs_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "hello"
    create(folder, template(name=name), created=CREATED)
    assert plan(folder).requirements == ()


def test_hidden_files_may_be_there_and_stay(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / ".gitignore").write_bytes(b"mine \xff")
    (tmp_path / "hello" / ".git").mkdir()
    create(tmp_path / "hello", template(), created=CREATED)
    lines = (tmp_path / "hello" / ".gitignore").read_bytes().splitlines()
    assert (lines[0], lines[-1]) == (b"mine \xff", b"/.func")


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match="must be empty of visible files"):
        create(tmp_path / "busy", template(), created=CREATED)
    folder = tmp_path / "hello"
    create(folder, template(), created=CREATED)
    with pytest.raises(Conflict, match="already initialized"):
        create(folder, template(), created=CREATED)
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(Conflict, match="cannot create"):
        create(tmp_path / "notes", template(), created=CREATED)


@pytest.mark.parametrize("name", ["Hello", "1st", "a_b", "-x", "a" * 64])
def test_a_name_that_no_service_can_have_makes_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="Function name"):
        create(tmp_path / name, template(), created=CREATED)
    assert list(tmp_path.iterdir()) == []


def test_links_of_a_template_bring_nothing_in(tmp_path: Path) -> None:
    source = tmp_path / "repo" / "python" / "evil"
    source.mkdir(parents=True)
    (source / "func.py").write_text("")
    (source / "passwd").symlink_to("/etc/passwd")
    (source / "etc").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    found = in_folder(tmp_path / "repo").find("python", "evil")
    assert found is not None
    create(tmp_path / "hello", found, created=CREATED)
    assert {each.name for each in (tmp_path / "hello").iterdir()} == {
        "func.py",
        "func.yaml",
        ".gitignore",
        ".funcignore",
    }


def test_a_template_that_is_too_large_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "MAX_FILES", 2)
    with pytest.raises(KnliteError, match="cannot create"):
        create(tmp_path / "a" / "hello", template(), created=CREATED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [KnliteError("full"), OSError("full"), KeyboardInterrupt()])
@pytest.mark.parametrize("there", [False, True])
def test_what_is_not_completed_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, there: bool
) -> None:
    folder = tmp_path / "deep" / "hello"
    if there:
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("mine\n")

    def save(*_: object) -> bool:
        raise failure

    monkeypatch.setattr(funcyaml, "save", save)
    with pytest.raises((KnliteError, KeyboardInterrupt)):
        create(folder, template(), created=CREATED)
    left = {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*")}
    assert left == ({"deep", "deep/hello", "deep/hello/.gitignore"} if there else set())
    if there:
        assert (folder / ".gitignore").read_text() == "mine\n"


def test_manifests_of_a_repository_are_inherited(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    (repository / "all" / "ruby" / "http").mkdir(parents=True)
    (repository / "all" / "ruby" / "events").mkdir()
    (repository / "all" / "ruby" / ".hidden").mkdir()
    (repository / "all" / "certs").mkdir()
    (repository / "manifest.yaml").write_text(
        "name: ours\ntemplates: all\ninvoke: cloudevent\nhealthEndpoints: {readiness: /ready}\n"
        "builderImages: {pack: p, s2i: s}\n"
    )
    (repository / "all" / "ruby" / "manifest.yaml").write_text(
        "buildpacks: [a/b]\nbuilderImages: {s2i: t}\n"
    )
    (repository / "all" / "ruby" / "http" / "manifest.yaml").write_text(
        "invoke: http\nhealthEndpoints: {liveness: /alive}\n"
    )
    found = in_folder(repository)
    assert found.languages == ["ruby"]
    assert found.of("ruby") == ["http", "events"]
    create(tmp_path / "a", found.templates[1], created=CREATED)
    create(tmp_path / "b", found.templates[0], created=CREATED)
    http, events = funcyaml.load(tmp_path / "a"), funcyaml.load(tmp_path / "b")
    assert isinstance(http, FuncYaml)
    assert isinstance(events, FuncYaml)
    assert (http.invoke, events.invoke) == ("", "cloudevent")
    assert events.build.buildpacks == ("a/b",)
    assert events.build.builder_images == {"pack": "p", "s2i": "t"}
    assert (http.health, events.health) == (("/alive", "/ready"), ("/health/liveness", "/ready"))


@pytest.mark.parametrize(
    "manifest", ["templates: ..\n", "templates: none\n", "invoke: [a]\n", "- a\n", "a: [\n"]
)
def test_a_manifest_that_is_wrong_is_said(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "manifest.yaml").write_text(manifest)
    with pytest.raises(InvalidInput):
        in_folder(tmp_path / "repo")


@pytest.mark.parametrize("uri", ["ext::sh -c touch% x", "--upload-pack=x", "/nowhere", "fd::7"])
def test_what_is_no_repository_is_not_given_to_git(uri: str) -> None:
    with pytest.raises(InvalidInput, match="no templates"), opened(uri, {}):
        pass


@pytest.mark.parametrize("uri", ["https://ada:x@hunter2@127.0.0.1:1/x", "hg://ada:hunter2@h/x"])
def test_what_cannot_be_fetched_is_said_without_its_password(uri: str) -> None:
    with pytest.raises(KnliteError) as refused, opened(uri, dict(os.environ)):
        pass
    assert "127.0.0.1" in str(refused.value) or "h/x" in str(refused.value)
    assert "hunter2" not in str(refused.value)
