"""An image is known by the hash of its configuration (reference Part 6, the recipe)."""

import hashlib
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from knlite.runtime.docker.imageconfig import (
    INPUTS,
    BaseImage,
    LayerLine,
    ProgramConfig,
    config_of,
    manifest_of,
)

BASE = BaseImage(
    id="sha256:b", layers=("sha256:1", "sha256:2"), env=("A=base", "B=x=y"), architecture="amd64"
)
PROGRAM = ProgramConfig(
    command=("python3", "run.py"),
    env={"A": "ours", "C": ""},
    working_dir="/function",
    user="1000:1000",
    labels={"name": "greet"},
)
LAYERS = [LayerLine("sha256:3", "packages"), LayerLine("sha256:4", "function")]


def test_the_layers_stand_on_the_base_and_each_has_its_history() -> None:
    document = json.loads(config_of(BASE, LAYERS, PROGRAM).text)
    layers = ["sha256:1", "sha256:2", "sha256:3", "sha256:4"]
    assert document["rootfs"] == {"type": "layers", "diff_ids": layers}
    assert len(document["history"]) == 4
    assert document["created"].startswith("1970-01-01")


def test_the_program_wins_over_the_base_and_finds_programs() -> None:
    config = json.loads(config_of(BASE, LAYERS, PROGRAM).text)["config"]
    assert set(config["Env"]) >= {"A=ours", "B=x=y", "C="}
    assert any(each.startswith("PATH=/usr/local/sbin:") for each in config["Env"])
    assert config["Cmd"] == ["python3", "run.py"]
    assert config["Entrypoint"] is None
    assert (config["User"], config["WorkingDir"]) == ("1000:1000", "/function")
    own = replace(BASE, env=("PATH=/opt/bin",))
    assert "PATH=/opt/bin" in json.loads(config_of(own, LAYERS, PROGRAM).text)["config"]["Env"]


def test_its_id_is_the_hash_of_its_text_and_its_label_that_of_its_inputs() -> None:
    config = config_of(BASE, LAYERS, PROGRAM)
    assert config.id == f"sha256:{hashlib.sha256(config.text).hexdigest()}"
    labels = json.loads(config.text)["config"]["Labels"]
    assert labels == {"name": "greet", INPUTS: config.inputs}


@given(env=st.dictionaries(st.text("ABC", min_size=1), st.text(max_size=3)), data=st.data())
def test_the_order_of_variables_and_labels_does_not_matter(
    env: dict[str, str], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(env.items()))))
    first = config_of(BASE, LAYERS, replace(PROGRAM, env=env, labels=env))
    assert config_of(BASE, LAYERS, replace(PROGRAM, env=shuffled, labels=shuffled)) == first


def test_whatever_changes_is_another_image() -> None:
    made = {
        config_of(BASE, LAYERS, PROGRAM).id,
        config_of(BASE, LAYERS[:1], PROGRAM).id,
        config_of(replace(BASE, layers=("sha256:1",)), LAYERS, PROGRAM).id,
        config_of(BASE, LAYERS, replace(PROGRAM, user="0")).id,
        config_of(BASE, LAYERS, replace(PROGRAM, labels={})).id,
    }
    assert len(made) == 5


def test_a_manifest_names_every_layer_also_those_that_are_not_sent() -> None:
    assert json.loads(manifest_of("knlite.local/greet:latest", 3)) == [
        {
            "Config": "config.json",
            "RepoTags": ["knlite.local/greet:latest"],
            "Layers": ["0.tar", "1.tar", "2.tar"],
        }
    ]
