"""How kubectl and kn are told where a knlite is."""

import stat
from pathlib import Path

import pytest
import yaml

from knlite.cli.kubeconfig import (
    Access,
    config_of,
    find_access,
    merge_into,
    show,
    written_kubeconfig,
)
from knlite.errors import InvalidInput
from knlite.settings import Settings


def settings(folder: Path, **other: object) -> Settings:
    return Settings(runtime_dir=folder / "run", **other)  # type: ignore[arg-type]  # by name


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_running_knlite_has_a_kubeconfig_that_its_user_alone_may_read(tmp_path: Path) -> None:
    with written_kubeconfig(settings(tmp_path, admin_port=9000)) as file:
        assert file is not None
        found = yaml.safe_load(file.read_text())
        assert found["clusters"][0]["cluster"]["server"] == "http://127.0.0.1:9000"
        assert found["current-context"] == "knlite"
        assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert not file.exists()
    assert not file.parent.exists()


def test_with_a_data_directory_the_kubeconfig_stays(tmp_path: Path) -> None:
    with written_kubeconfig(settings(tmp_path, data_dir=tmp_path / "data")) as file:
        assert file == tmp_path / "data" / "kubeconfig"
    assert file.exists()
    assert mode(file) == 0o600


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("127.0.0.1", "http://127.0.0.1:8081"),
        ("0.0.0.0", "http://knlite:s3cret@127.0.0.1:8081"),
        ("192.0.2.7", "http://knlite:s3cret@192.0.2.7:8081"),
        ("2001:db8::7", "http://knlite:s3cret@[2001:db8::7]:8081"),
    ],
)
def test_off_loopback_the_address_holds_the_token(
    tmp_path: Path, address: str, server: str
) -> None:
    token = "" if address.startswith("127") else "s3cret"
    found = settings(tmp_path, admin_address=address, admin_token=token)
    with written_kubeconfig(found) as file:
        assert file is not None
        written = yaml.safe_load(file.read_text())["clusters"][0]["cluster"]["server"]
        assert written == server
        # The other verbs of knlite find it there.
        access = find_access(settings(tmp_path))
        assert access.token == token
        assert config_of(access)["clusters"][0]["cluster"]["server"] == server


def test_a_place_that_cannot_be_written_is_no_reason_not_to_run(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, where a folder should be")
    with written_kubeconfig(settings(tmp_path)) as file:
        assert file is None
    secret = settings(tmp_path, admin_address="0.0.0.0", admin_token="s3cret")
    with (
        pytest.raises(InvalidInput, match="the token of the admin port"),
        written_kubeconfig(secret),
    ):
        pass


def test_without_a_running_knlite_its_usual_place_is_told(tmp_path: Path) -> None:
    assert find_access(settings(tmp_path)) == Access("http://127.0.0.1:8081")


@pytest.mark.parametrize("text", ["", "{", "[]", "clusters: []", "clusters: [{cluster: 1}]"])
def test_a_file_that_makes_no_sense_is_passed_over(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run" / "8081" / "kubeconfig"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert find_access(settings(tmp_path)) == Access("http://127.0.0.1:8081")


OTHER = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "prod", "cluster": {"server": "https://prod.example"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
    "current-context": "prod",
}


def test_a_kubeconfig_is_merged_into_another(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text(yaml.safe_dump(OTHER))
    link = tmp_path / "link"
    link.symlink_to(real)
    for server in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        merge_into(link, Access(server))
    found = yaml.safe_load(real.read_text())
    assert link.is_symlink()
    assert [each["name"] for each in found["contexts"]] == ["prod", "knlite"]
    assert [each["cluster"]["server"] for each in found["clusters"]] == [
        "https://prod.example",
        "http://127.0.0.1:2",
    ]
    assert found["users"][0] == {"name": "me", "user": {"token": "t"}}
    assert found["preferences"] == {"colors": True}
    assert found["current-context"] == "knlite"


def test_a_kubeconfig_is_made_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config"
    show(settings(tmp_path), file)
    assert yaml.safe_load(file.read_text())["contexts"][0]["name"] == "knlite"
    assert mode(file) == 0o600


@pytest.mark.parametrize("content", [b"{", b"[1]", b"clusters: 1", b"\xff", b"[" * 1_000])
def test_what_is_no_kubeconfig_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="is not a kubeconfig"):
        merge_into(file, Access("http://127.0.0.1:1"))
    assert file.read_bytes() == content


def test_a_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        merge_into(tmp_path, Access("http://127.0.0.1:1"))
