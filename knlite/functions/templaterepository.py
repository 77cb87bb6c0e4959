"""Where templates of functions come from: those that knlite brings, a folder, a git repository.

A repository holds ``LANGUAGE/TEMPLATE/`` folders, beside which a ``manifest.yaml`` at its root, of
a language or of a template says with what a function begins; the innermost wins. Repositories are
hostile: git may use no other transport than files, HTTP and SSH and asks nothing, and what they
hold is only read.

Source: Knative Functions reference §4.2; knative/func pkg/functions/repository.go.
Not here: the project that a template becomes (``creation.py``).
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import msgspec

from knlite.errors import InvalidInput, KnliteError
from knlite.functions.funcspec import Env, HealthEndpoints
from knlite.functions.yamltree import Unreadable, parsed, printable, text_of
from knlite.kinds.meta import Fields

BUILT_IN = Path(__file__).parent / "templates"
MANIFEST = "manifest.yaml"
CLONE_SECONDS = 120.0
_RESERVED = frozenset(("certs", "scaffolding"))
_USER = re.compile(r"//[^/\s]*@")
_SCP = re.compile(r"[\w.-]+@[\w.-]+:\S+")
"""``user@host:path``, as git takes it."""


class Manifest(Fields):
    """With what a function begins."""

    name: str = ""
    templates: str = ""
    """Of a repository: the folder that holds its languages."""
    invoke: str = ""
    builder_images: Mapping[str, str] = msgspec.field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    build_envs: tuple[Env, ...] = ()
    run_envs: tuple[Env, ...] = ()
    health_endpoints: HealthEndpoints = HealthEndpoints()


@dataclass(frozen=True, slots=True)
class Template:
    """A folder that a function begins with."""

    language: str
    name: str
    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Repository:
    """Templates by their language."""

    templates: Sequence[Template]

    @property
    def languages(self) -> list[str]:
        """In the order of the alphabet."""
        return sorted({each.language for each in self.templates})

    def of(self, language: str) -> list[str]:
        """The names of the templates of *language*; the default comes first."""
        names = [each.name for each in self.templates if each.language == language]
        return sorted(names, key=lambda name: (name != "http", name.count("-"), name))

    def find(self, language: str, name: str) -> Template | None:
        """The template *name* of *language*."""
        fitting = (each.language == language and each.name == name for each in self.templates)
        return next(
            (each for each, fits in zip(self.templates, fitting, strict=True) if fits), None
        )


def built_in() -> Repository:
    """The templates that knlite brings."""
    return in_folder(BUILT_IN)


def in_folder(folder: Path) -> Repository:
    """The templates below *folder*. Raises ``InvalidInput``."""
    try:
        return _in_folder(folder)
    except OSError as error:
        raise InvalidInput(f"the templates in {folder} cannot be read", cause=str(error)) from error


def _in_folder(folder: Path) -> Repository:
    whole = _manifest(folder, Manifest())
    root = (folder / whole.templates).resolve()
    if not root.is_relative_to(folder.resolve()) or not root.is_dir():
        raise InvalidInput(f"templates path '{whole.templates}' does not exist in repository")
    return Repository(
        tuple(
            Template(language.name, template.name, template, _manifest(template, of_language))
            for language in _folders(root)
            for of_language in [_manifest(language, whole)]
            for template in _folders(language)
        )
    )


@contextmanager
def opened(uri: str, environ: Mapping[str, str]) -> Iterator[Repository]:
    """The repository at *uri*, as long as the context lasts; "" for those that knlite brings.

    *uri* is a folder, or what git can clone, with a branch behind ``#``. Raises ``InvalidInput``,
    ``KnliteError`` if it cannot be cloned.
    """
    if not uri:
        yield built_in()
    elif folder := _plain_folder(uri):
        yield in_folder(folder)
    else:
        with TemporaryDirectory(prefix="knlite-templates-") as made:
            fetch(uri, Path(made) / "repository", environ)
            yield in_folder(Path(made) / "repository")


def fetch(uri: str, target: Path, environ: Mapping[str, str]) -> None:
    """Put what is at *uri* into the new folder *target*. Raises as ``opened`` does, ``OSError``."""
    if folder := _plain_folder(uri):
        shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        return
    place, _, branch = uri.partition("#")
    scheme = urlsplit(place).scheme
    if scheme not in {"file", "http", "https", "ssh", "git"} and not _SCP.fullmatch(place):
        raise InvalidInput(
            f"there are no templates at {without_password(uri)}",
            cause="it is neither a folder nor a URL that git can clone",
            fix="give a folder, or https://…, ssh://…, file://…, user@host:path",
        )
    _clone(place, branch, target, environ)


def without_password(text: str) -> str:
    """*text* with the users and passwords of its URLs left out."""
    return _USER.sub("//", text)


def _plain_folder(uri: str) -> Path | None:
    folder = Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)
    # A bare repository of git is a folder, too, but holds no templates.
    return folder if folder.is_dir() and not (folder / "HEAD").is_file() else None


def _clone(uri: str, branch: str, folder: Path, environ: Mapping[str, str]) -> None:
    shown = without_password(uri)
    command = ["git", "clone", "--quiet", "--depth", "1"]
    if branch:
        command.append(f"--branch={branch}")
    guarded = {
        **environ,
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        result = subprocess.run(
            [*command, "--", uri, str(folder)],
            env=guarded,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLONE_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise KnliteError(
            f"the templates at {shown} cannot be fetched",
            cause="git is not installed",
            fix="install git, or give a folder",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise KnliteError(
            f"the templates at {shown} cannot be fetched",
            cause=f"git has not cloned it within {CLONE_SECONDS:g} seconds",
            fix="try again, or clone it and give its folder",
        ) from error
    if result.returncode != 0:
        said = result.stderr.strip().splitlines() or ["git says nothing"]
        raise KnliteError(
            f"failed to clone repository {shown}",
            cause=printable(without_password(said[-1])),
            fix="look at the URL, and at the branch behind #",
        )


def _folders(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_dir()
        and not entry.is_symlink()
        and not entry.name.startswith(".")
        and entry.name not in _RESERVED
    )


def _manifest(folder: Path, around: Manifest) -> Manifest:
    """The manifest in *folder*; what it does not say is as *around* has it.

    A map is taken over key by key, a list as a whole, as Go's decoder does.
    """
    file = folder / MANIFEST
    if not file.exists():
        return around
    try:
        tree = parsed(text_of(file)).tree
        return msgspec.convert(_over(msgspec.to_builtins(around), tree), Manifest, strict=False)
    except Unreadable as error:
        raise InvalidInput(f"{file}:{error.line}: {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{file}: {error}") from error


def _over(outer: Mapping[str, object], inner: Mapping[str, object]) -> dict[str, object]:
    merged = dict(outer)
    for key, value in inner.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[key] = _over(before, value)
        elif value is not None:
            merged[key] = value
    return merged
