"""``func.yaml`` as a document: all layouts, all that is wrong, and changes that keep the rest.

Knative Functions reference §4.1.
"""

from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knlite.errors import InvalidInput, KnliteError
from knlite.functions.funcspec import Build, Env, FuncYaml, Label, Run, Scale
from knlite.functions.funcyaml import FuncFile, ProjectErrors, load, opened, save

COMMENTED = """\
# $schema: https://example.com/schema.json
specVersion: 0.36.0
name: hello          # what it is called
runtime: python
created: 2024-01-02T03:04:05Z

# Ours, not func's.
team: shop
build:
  builder: pack
run:
  envs:
  # Whom to greet.
  - name: GREETING
    value: "hello"     # quoted
  - name: COUNT
    value: 1.10
    note: kept
deploy:
  namespace: default
  annotations: {a: b, c: d}
  options:
    scale:
      min: 0
      max: 10
"""

VERSION_0_19 = """\
name: testfunc
namespace: ""
runtime: go
image: ""
imageDigest: ""
builder: example.com/user/builder
builders:
  base: gcr.io/paketo-buildpacks/builder:base
buildpacks:
- paketo-buildpacks/go-dist
healthEndpoints:
  liveness: /alive
volumes: []
buildEnvs: []
envs:
- name: A
  value: b
annotations: {}
options: {}
labels: []
"""


def written(folder: Path, text: str) -> Path:
    (folder / "func.yaml").write_text(text)
    return folder


def read(folder: Path, text: str) -> FuncYaml:
    found = load(written(folder, text))
    assert isinstance(found, FuncYaml), str(found)
    return found


def test_the_oldest_layout_is_read_as_todays(tmp_path: Path) -> None:
    func = read(tmp_path, VERSION_0_19)
    assert func.spec_version == "0.36.0"
    assert func.created
    assert func.build.builder_images == {"pack": "example.com/user/builder"}
    assert func.build.buildpacks == ("paketo-buildpacks/go-dist",)
    assert func.run.envs == (Env(name="A", value="b"),)
    assert func.health == ("/alive", "/health/readiness")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "version: 0.23.0\nname: a\nruntime: node\nbuild: local\ninvocation: {format: http}\n",
            {"invoke": "", "build": Build()},
            id="0.25.0",
        ),
        pytest.param(
            "specVersion: 0.25.0\nname: a\nruntime: go\nnamespace: shop\nbuilder: s2i\n",
            {"namespace": "", "build": Build(builder="s2i")},
            id="0.34.0",
        ),
        pytest.param(
            "specVersion: 0.34.0\nname: a\nruntime: go\ninvocation: {format: cloudevent}\n",
            {"invoke": "cloudevent"},
            id="0.35.0",
        ),
        pytest.param(
            "specVersion: 0.99.0\nname: a\nruntime: go\nnamespace: shop\n",
            {"spec_version": "0.99.0", "namespace": "shop"},
            id="newer than known",
        ),
    ],
)
def test_layouts_between_are_migrated(
    tmp_path: Path, text: str, expected: dict[str, object]
) -> None:
    func = read(tmp_path, text)
    assert {name: getattr(func, name) for name in expected} == expected


def test_the_typo_of_0_35_is_repaired(tmp_path: Path) -> None:
    text = "specVersion: 0.35.0\nname: a\nruntime: go\nrun:\n  volumes:\n"
    text += "  - presistentVolumeClaim: {claimName: data}\n    path: /data\n"
    claim = read(tmp_path, text).run.volumes[0].persistent_volume_claim
    assert claim is not None
    assert claim.claim_name == "data"


def test_all_that_is_wrong_is_said_with_its_line_in_funcs_words(tmp_path: Path) -> None:
    text = """\
specVersion: 0.36.0
name: hello
runtime: go
run:
  envs:
  - name: 1A
    value: x
  - value: plain
  volumes:
  - secret: s
    configMap: c
    path: /p
deploy:
  labels:
  - key: a b
  options:
    scale:
      min: 3
      max: 1
      utilization: 200
"""
    found = load(written(tmp_path, text))
    assert isinstance(found, ProjectErrors)
    said = {(each.line, each.message.partition(";")[0]) for each in found.problems}
    assert (6, 'env entry #0 has invalid name set: "1A"') in said
    assert (18 + 1, 'options field "scale.max" value must be greater or equal to "scale.min"') in (
        said
    )
    lines = sorted(each.line for each in found.problems)
    assert lines == [6, 8, 10, 15, 19, 20]
    assert str(found).startswith("'func.yaml' contains errors:\n")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("name: a\nruntime: [go]\n", 2, "runtime", id="wrong type"),
        pytest.param("runtime: go\ndeploy:\n  options:\n    scale: {min: x}\n", 4, "min", id="int"),
        pytest.param(
            "runtime: go\nbuild:\n  builderImages: {pack: []}\n", 3, "builderImages: ", id="in map"
        ),
        pytest.param("runtime: go\nruntime: go\n", 2, "already set in map", id="twice"),
        pytest.param("specVersion: new\nruntime: go\n", 1, "must be a version", id="version"),
        pytest.param("runtime: go\nrun: {startTimeout: 1y}\n", 2, "unknown unit", id="duration"),
        pytest.param(
            "runtime: go\nrun:\n  volumes:\n  - path: /a\n    emptyDir: {sizeLimit: x}\n",
            4,
            'has invalid size limit: "x"; "quantities must match',
            id="size limit",
        ),
        pytest.param("a: " + "[" * 4000, 1, "not valid YAML", id="unclosed"),
        pytest.param("a: " + "[" * 100 + "]" * 100, 1, "too deep", id="deep"),
        pytest.param("a: &a [x]\nb: [*a, *a]\n", 1, "runtime is missing", id="aliases"),
        pytest.param("a: \x00", 1, "not valid YAML", id="control character"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str, line: int, words: str) -> None:
    found = load(written(tmp_path, text))
    assert isinstance(found, ProjectErrors)
    assert (found.problems[0].line, words in found.problems[0].message) == (line, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("registryInsecure", word) for word in ("true", "yes", "On", "TRUE", "y")),
        *(("deploy: {managementDisabled", word) for word in ("false", "no", "off", "N", "~")),
        *(("deploy: {options: {scale: {min", word) for word in ("16", "0x10", "+16", "1_6", "020")),
        *(("deploy: {options: {scale: {target", word) for word in ("0.5", ".5", "+0.5", "5e-1")),
    ],
)
def test_booleans_and_numbers_are_those_of_yaml(tmp_path: Path, field: str, value: str) -> None:
    func = read(tmp_path, f"runtime: go\n{field}: {value}{'}' * field.count('{')}\n")
    scale = func.deploy.options.scale
    read_as = (func.registry_insecure, func.deploy.management_disabled, scale)
    if "scale" not in field:
        assert read_as == ("registryInsecure" in field, False, None)
    else:
        assert scale == (Scale(min=16) if "min" in field else Scale(target=0.5))


@pytest.mark.parametrize("value", ["yes please", "[1", "1 # no", "2024-01-01", "!!int x", "-"])
def test_what_is_no_number_is_said(tmp_path: Path, value: str) -> None:
    text = f"runtime: go\ndeploy: {{options: {{scale: {{min: {value!r}}}}}}}\n"
    found = load(written(tmp_path, text))
    assert isinstance(found, ProjectErrors)
    assert "deploy.options.scale.min" in str(found)


def test_hostile_files_are_bounded(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in ["ab", "bc", "cd", "de"]
    )
    for text in (bomb, "a: &a [*a]\n", "x" * 300_000):
        assert isinstance(load(written(tmp_path, text)), ProjectErrors)


def test_unknown_fields_are_warned_of_with_their_line(tmp_path: Path) -> None:
    found = opened(written(tmp_path, COMMENTED))
    assert isinstance(found, FuncFile)
    assert [(each.line, each.message) for each in found.warnings] == [
        (8, 'unknown field "team"'),
        (18, 'unknown field "note"'),
    ]


def test_nothing_is_written_if_nothing_changed(tmp_path: Path) -> None:
    func = read(tmp_path, VERSION_0_19)
    assert not save(tmp_path, func)
    assert (tmp_path / "func.yaml").read_text() == VERSION_0_19


def test_a_function_without_a_name_has_its_folders_which_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    func = read(tmp_path / "hello", "runtime: go\nregistry: r.io/a\n")
    assert (func.name, func.full_image) == ("hello", "r.io/a/hello:latest")
    save(tmp_path / "hello", msgspec.structs.replace(func, registry="r.io/b"))
    assert "name" not in (tmp_path / "hello" / "func.yaml").read_text()


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    func = read(tmp_path, COMMENTED)
    envs = (*func.run.envs, Env(name="NEW", value="1"))
    changed = msgspec.structs.replace(
        func, namespace="shop", run=msgspec.structs.replace(func.run, envs=envs)
    )
    assert save(tmp_path, changed)
    expected = COMMENTED.replace(
        "    note: kept\n", "    note: kept\n  - name: NEW\n    value: '1'\n"
    )
    assert (tmp_path / "func.yaml").read_text() == expected + "namespace: shop\n"
    assert load(tmp_path) == changed


def test_a_changed_value_keeps_the_comment_beside_it(tmp_path: Path) -> None:
    func = read(tmp_path, COMMENTED)
    first = msgspec.structs.replace(func.run.envs[0], value="bye")
    run = msgspec.structs.replace(func.run, envs=(first, *func.run.envs[1:]))
    assert save(tmp_path, msgspec.structs.replace(func, run=run))
    assert "    value: bye     # quoted\n" in (tmp_path / "func.yaml").read_text()


def test_an_item_that_goes_takes_only_itself(tmp_path: Path) -> None:
    func = read(tmp_path, COMMENTED)
    run = msgspec.structs.replace(func.run, envs=func.run.envs[:1])
    assert save(tmp_path, msgspec.structs.replace(func, run=run))
    gone = "  - name: COUNT\n    value: 1.10\n    note: kept\n"
    assert (tmp_path / "func.yaml").read_text() == COMMENTED.replace(gone, "")


def test_an_older_layout_is_migrated_when_something_changes(tmp_path: Path) -> None:
    func = read(tmp_path, VERSION_0_19)
    assert save(tmp_path, msgspec.structs.replace(func, registry="docker.io/alice"))
    document = yaml.safe_load((tmp_path / "func.yaml").read_text())
    assert document["specVersion"] == "0.36.0"
    assert document["run"] == {"envs": [{"name": "A", "value": "b"}]}
    assert "envs" not in document
    assert isinstance(load(tmp_path), FuncYaml)


def test_a_new_file_names_its_schema_and_has_the_order_of_func(tmp_path: Path) -> None:
    func = FuncYaml(
        spec_version="0.36.0", name="a", runtime="go", created="2024-01-02T03:04:05.678+02:00"
    )
    assert save(tmp_path, func)
    lines = (tmp_path / "func.yaml").read_text().splitlines()
    assert lines[0].startswith("# $schema: https://")
    assert lines[2:] == [
        "specVersion: 0.36.0",
        "name: a",
        "runtime: go",
        "created: 2024-01-02T03:04:05.678+02:00",
    ]
    assert load(tmp_path) == func


def test_what_is_invalid_is_not_written(tmp_path: Path) -> None:
    func = read(tmp_path, COMMENTED)
    with pytest.raises(InvalidInput, match="contains errors"):
        save(tmp_path, msgspec.structs.replace(func, invoke="grpc"))
    assert (tmp_path / "func.yaml").read_text() == COMMENTED


def test_what_a_terminal_would_obey_is_not_repeated_to_it(tmp_path: Path) -> None:
    found = load(written(tmp_path, 'runtime: go\ninvoke: "\\e[31mred"\n'))
    assert isinstance(found, ProjectErrors)
    assert "\x1b" not in str(found)


def test_a_file_that_cannot_be_written_stays_and_is_said(tmp_path: Path) -> None:
    func = read(tmp_path, COMMENTED)
    (tmp_path / "func.yaml").unlink()
    (tmp_path / "func.yaml").symlink_to(tmp_path / "none" / "func.yaml")
    with pytest.raises(KnliteError, match="cannot be written"):
        save(tmp_path, func)


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=20
).filter(lambda text: not text.startswith("{{"))
_NAMES = st.from_regex(r"[A-Z_]{1,8}", fullmatch=True)


@st.composite
def _changes(draw: st.DrawFn) -> FuncYaml:
    names = draw(st.lists(_NAMES, unique=True, max_size=4))
    envs = [Env(name=name, value=draw(_TEXT)) for name in names]
    labels = [Label(key="a", value=draw(st.sampled_from(["b", "", "true"])))]
    base = FuncYaml()
    scale = Scale(min=draw(st.none() | st.integers(0, 3)), target=draw(st.none() | st.just(0.5)))
    return msgspec.structs.replace(
        base,
        spec_version="0.36.0",
        name=draw(st.sampled_from(["hello", "other"])),
        runtime="python",
        created="2024-01-02T03:04:05Z",
        registry=draw(_TEXT),
        registry_insecure=draw(st.booleans()),
        run=Run(envs=tuple(envs), start_timeout=draw(st.sampled_from(["", "1m0s"]))),
        deploy=msgspec.structs.replace(
            base.deploy,
            annotations=draw(st.dictionaries(_NAMES, _TEXT, max_size=3)),
            labels=tuple(labels[: draw(st.integers(0, 1))]),
            options=msgspec.structs.replace(
                base.deploy.options, scale=draw(st.none() | st.just(scale))
            ),
        ),
    )


@given(changed=_changes())
def test_whatever_changes_is_read_again_and_the_rest_stays(
    tmp_path_factory: pytest.TempPathFactory, changed: FuncYaml
) -> None:
    folder = written(tmp_path_factory.mktemp("f", numbered=True), COMMENTED)
    save(folder, changed)
    text = (folder / "func.yaml").read_text()
    assert load(folder) == changed
    assert text.startswith("# $schema: https://example.com/schema.json\n")
    assert "# Ours, not func's.\nteam: shop\n" in text
