"""Older layouts of ``func.yaml`` as today's: each step applies below the version that it leads to.

Trees are what the YAML says, all scalars as text. A tree without ``specVersion`` gets all steps,
unless it has ``version``, as that was called before 0.25.0.

Source: Knative Functions reference §4.1; knative/func pkg/functions/function_migrations.go.
Differs: func does not look at ``version``, and so takes the name of a builder (``builder: pack``)
for an image of the oldest layout.
"""

from collections.abc import Callable, Mapping

from knlite.functions.funcspec import SPEC_VERSION

Tree = dict[str, object]

_DEFAULT_BUILDER = "gcr.io/paketo-buildpacks/builder:base"
_OLD_CREATED = "1970-01-01T00:00:00Z"
"""A function from before there was a time of creation. Differs: func puts the present time."""

_MOVED = {
    "git": "build",
    "builder": "build",
    "builderImages": "build",
    "buildpacks": "build",
    "buildEnvs": "build",
    "volumes": "run",
    "envs": "run",
    "namespace": "deploy",
    "annotations": "deploy",
    "options": "deploy",
    "labels": "deploy",
    "healthEndpoints": "deploy",
}


def version_of(text: str) -> tuple[int, ...] | None:
    """*text* as numbers to compare; None if it is no version."""
    parts = text.removeprefix("v").partition("-")[0].split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 9 for part in parts):
        return None
    return tuple(int(part) for part in parts)


def migrated(tree: Mapping[str, object]) -> Tree:
    """*tree* in today's layout; itself if it is newer or its version cannot be read."""
    given = tree.get("specVersion") or tree.get("version") or "0.0.0"
    version = version_of(str(given))
    result = dict(tree)
    if version is None:
        return result
    for leads_to, step in _STEPS:
        target = version_of(leads_to)
        if target is not None and version < target:
            step(result)
            result["specVersion"] = leads_to
    return result


def _creation(tree: Tree) -> None:
    if not tree.get("created") and tree.get("name") and tree.get("runtime"):
        tree["created"] = _OLD_CREATED


def _builder_images(tree: Tree) -> None:
    image = tree.pop("builder", None)
    tree.pop("builders", None)
    if image and image != _DEFAULT_BUILDER:
        given = tree.get("builderImages")
        images = dict(given) if isinstance(given, dict) else {}
        tree["builderImages"] = {"pack": image, **images}


def _spec_version(tree: Tree) -> None:
    tree.pop("version", None)


def _structure(tree: Tree) -> None:
    tree.pop("imageDigest", None)
    for name in ("build", "run", "deploy"):
        if not isinstance(tree.get(name), dict):
            tree.pop(name, None)  # It was a word then: ``build: local``.
    for field, group in _MOVED.items():
        if field not in tree:
            continue
        value = tree.pop(field)
        if not value:
            continue
        given = tree.get(group)
        inner = dict(given) if isinstance(given, dict) else {}
        inner.setdefault(field, value)
        tree[group] = inner


def _invoke(tree: Tree) -> None:
    old = tree.pop("invocation", None)
    form = old.get("format") if isinstance(old, dict) else None
    if form and form != "http":
        tree.setdefault("invoke", form)


def _claim(tree: Tree) -> None:
    run = tree.get("run")
    volumes = run.get("volumes") if isinstance(run, dict) else None
    if not isinstance(run, dict) or not isinstance(volumes, list):
        return
    repaired = [
        {_CLAIM.get(key, key): value for key, value in volume.items()}
        if isinstance(volume, dict)
        else volume
        for volume in volumes
    ]
    tree["run"] = {**run, "volumes": repaired}


_CLAIM = {"presistentVolumeClaim": "persistentVolumeClaim"}

_STEPS: tuple[tuple[str, Callable[[Tree], None]], ...] = (
    ("0.19.0", _creation),
    ("0.23.0", _builder_images),
    ("0.25.0", _spec_version),
    ("0.34.0", _structure),
    ("0.35.0", _invoke),
    (SPEC_VERSION, _claim),
)
