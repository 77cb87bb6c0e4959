"""What files declare, and all that is wrong with them together."""

from pathlib import Path

from knlite.manifests.declared import load
from knlite.manifests.files import find

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n"


def test_all_mistakes_of_all_files_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [\n")
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: Nmaespace\nmetadata: {name: x}\n")
    (tmp_path / "c.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {nmae: x}\n")
    loaded = load(find([tmp_path]).manifests)
    texts = [str(each).removeprefix(f"{tmp_path}/") for each in loaded.complaints]
    assert [text.partition(":")[0] for text in texts] == ["a.yaml", "b.yaml", "c.yaml"]
    assert 'no matches for kind "Nmaespace" in version "v1"; did you mean Namespace' in texts[1]
    assert texts[2].startswith('c.yaml:3: strict decoding error: unknown field "metadata.nmae"')


def test_a_name_that_is_taken_is_reported_with_the_place_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(NAMESPACE % "x" + "---\n" + NAMESPACE % "x")
    (only,) = load(find([tmp_path]).manifests).complaints
    assert only.line == 7
    assert only.message == f"Namespace x is already defined at {tmp_path}/a.yaml:1"


def test_objects_without_a_namespace_are_in_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    (declared,) = load(find([tmp_path]).manifests).declared
    assert declared.obj.metadata.namespace == "default"
