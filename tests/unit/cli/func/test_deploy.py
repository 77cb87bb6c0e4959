"""What the options of ``func deploy`` make of a function (Knative Functions reference §4.3)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from knlite.cli.func.building import require_platform
from knlite.cli.func.deploy import (
    Options,
    build_of,
    configured,
    saved_unless_it_fails,
    write_back,
)
from knlite.errors import InvalidInput, KnliteError
from knlite.functions import funcyaml
from knlite.functions.funcspec import Env, FuncYaml, Run

FUNC = FuncYaml(
    name="web",
    runtime="python",
    registry="ghcr.io/ada",
    run=Run(envs=(Env(name="A", value="1"), Env(value="{{ secret:s }}"), Env(name="B", value="2"))),
)


def test_options_are_remembered_in_func_yaml() -> None:
    options = Options(
        namespace="shop",
        domain="example.org",
        builder="s2i",
        base_image="python:3.12",
        service_account="robot",
        image_pull_secret="hub",
        envs=("B=3", "A-", "C=4"),
        registry_insecure=True,
        management_disabled=True,
    )
    found = configured(FUNC, options)
    assert (found.namespace, found.domain, found.registry_insecure) == ("shop", "example.org", True)
    assert (found.build.builder, found.build.base_image) == ("s2i", "python:3.12")
    assert found.run.envs == (
        Env(value="{{ secret:s }}"),
        Env(name="B", value="3"),
        Env(name="C", value="4"),
    )
    assert found.deploy.service_account_name == "robot"
    assert found.deploy.management_disabled
    assert configured(FUNC, Options()) == FUNC


def test_an_image_wins_over_a_registry_until_another_registry_is_given() -> None:
    named = configured(FUNC, Options(image="example.org/x/web:1"))
    assert named.full_image == "example.org/x/web:1"
    assert configured(named, Options(registry="quay.io/bob")).full_image == "quay.io/bob/web:latest"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(Options(remote=True), "remote build", id="remote"),
        pytest.param(Options(git="https://example.org/x"), "remote build", id="git"),
        pytest.param(Options(deployer="raw"), "raw", id="deployer"),
        pytest.param(Options(deployer="nomad"), "no deployer", id="unknown deployer"),
        pytest.param(Options(image="a/b", registry="c"), "both --image and --registry", id="both"),
        pytest.param(Options(image="UPPER CASE"), "names no image", id="image"),
        pytest.param(Options(envs=("A",)), "--env", id="env"),
    ],
)
def test_what_cannot_be_is_refused_in_words(options: Options, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        configured(FUNC, options)


def test_a_function_for_another_deployer_is_refused_too() -> None:
    with pytest.raises(InvalidInput, match="keda"):
        configured(replace(FUNC, deployer="keda"), Options())


def test_the_deployer_of_config_yaml_counts_last(tmp_path: Path) -> None:
    config = tmp_path / "func" / "config.yaml"
    config.parent.mkdir()
    config.write_text("deployer: raw\n")
    options = Options(environ={"XDG_CONFIG_HOME": str(tmp_path)})
    with pytest.raises(InvalidInput, match="raw"):
        configured(FUNC, options)
    assert configured(replace(FUNC, deployer="knative"), options)


def test_flags_have_funcs_values() -> None:
    assert [build_of(text) for text in ("auto", "true", "False", "0")] == [None, True, False, False]
    with pytest.raises(InvalidInput, match="build flag"):
        build_of("maybe")
    require_platform("")
    with pytest.raises(InvalidInput, match="platform"):
        require_platform("linux/riscv64")


TEXT = """\
specVersion: 0.36.0
name: web
runtime: python   # ours
created: 2026-01-02T03:04:05Z
"""


def failing(folder: Path, func: FuncYaml, meanwhile: str, error: BaseException) -> None:
    """A deployment during which its author saves *meanwhile*."""
    with saved_unless_it_fails(folder, func):
        assert funcyaml.load(folder) == func
        if meanwhile:
            (folder / "func.yaml").write_text(meanwhile)
        raise error


def test_what_fails_changes_nothing_of_func_yaml(tmp_path: Path) -> None:
    file = tmp_path / "func.yaml"
    file.write_text(TEXT)
    func = replace(funcyaml.required(tmp_path), registry="ghcr.io/ada")
    with pytest.raises(KeyboardInterrupt):
        failing(tmp_path, func, "", KeyboardInterrupt())
    assert file.read_text() == TEXT
    with saved_unless_it_fails(tmp_path, func):
        pass
    assert file.read_text() == TEXT + "registry: ghcr.io/ada\n"


def test_what_is_saved_during_a_deployment_stays(tmp_path: Path) -> None:
    file = tmp_path / "func.yaml"
    file.write_text(TEXT)
    func = replace(funcyaml.required(tmp_path), registry="ghcr.io/ada")
    edited = TEXT + "domain: example.org\n"
    with pytest.raises(KnliteError, match="not ready"):
        failing(tmp_path, func, edited, KnliteError("not ready"))
    assert file.read_text() == edited
    write_back(tmp_path, "shop", "i:latest")
    deployed = "deploy:\n  namespace: shop\n  image: i:latest\n  deployer: knative\n"
    assert file.read_text() == edited + deployed
    file.write_text("name: [\n")
    with pytest.raises(KnliteError, match=r"is deployed, but .* cannot be written"):
        write_back(tmp_path, "shop", "i:latest")
    assert file.read_text() == "name: [\n"
