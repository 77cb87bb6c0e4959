"""What ``func run`` runs, and where (Knative Functions reference §4.5)."""

import socket
from pathlib import Path

import pytest

from knlite.cli.func.address import place
from knlite.cli.func.opened import open_function
from knlite.cli.func.run import Wanted, one_service, runtime_for, seconds_of
from knlite.errors import Conflict, InvalidInput
from knlite.kinds.catalog import read

FUNC = """\
specVersion: 0.36.0
name: web
runtime: python
created: 2026-01-02T03:04:05Z
run:
  envs:
  - name: GREETING
    value: '{{ env:GREETING }}'
  - name: TOKEN
    value: '{{ secret:tokens:one }}'
  - name: PLAIN
    value: a
"""


def service(
    folder: Path, environ: dict[str, str], *envs: str
) -> tuple[dict[str, str], dict[str, object]]:
    (folder / "func.yaml").write_text(FUNC)
    wanted = Wanted(envs=envs, environ=environ)
    project, document = one_service(open_function(folder, "run"), wanted)
    assert project.image == "knlite.local/web:latest"
    return dict(project.envs), document


def test_variables_come_from_func_yaml_and_the_command_line(tmp_path: Path) -> None:
    envs, document = service(tmp_path, {"GREETING": "hi"}, "PLAIN-", "NEW=b=c")
    # What only a cluster has is passed as it is written.
    assert envs == {"GREETING": "hi", "TOKEN": "{{ secret:tokens:one }}", "NEW": "b=c"}
    assert read(document).problems == ()


def test_a_local_variable_that_is_given_anew_need_not_exist(tmp_path: Path) -> None:
    assert service(tmp_path, {}, "GREETING=ho")[0]["GREETING"] == "ho"
    assert "GREETING" not in service(tmp_path, {}, "GREETING-")[0]
    with pytest.raises(InvalidInput, match="no variable GREETING"):
        service(tmp_path, {})


def test_what_is_given_may_refer_to_what_func_yaml_may_refer_to(tmp_path: Path) -> None:
    environ = {"GREETING": "hi", "OTHER": "ho"}
    assert service(tmp_path, environ, "NEW={{ env:OTHER }}")[0]["NEW"] == "ho"
    with pytest.raises(InvalidInput, match="env entry #3 with name 'NEW' has invalid value"):
        service(tmp_path, environ, "NEW={{ other }}")


def test_what_variables_hold_stands_in_no_repr(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text(FUNC)
    wanted = Wanted(envs=("PASSWORD=hunter2",), environ={"GREETING": "hunter2"})
    project, _ = one_service(open_function(tmp_path, "run"), wanted)
    assert "hunter2" in project.envs.values()
    assert "hunter2" not in repr((wanted, project))


def test_a_name_that_no_service_can_have_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text("name: My_Func\nruntime: python\n")
    with pytest.raises(InvalidInput, match=r"^Function name 'My_Func' must consist of"):
        one_service(open_function(tmp_path, "run"), Wanted(environ={}))


def test_a_variable_that_is_not_there_cannot_go(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match='environment variable "PLAN" does not exist'):
        service(tmp_path, {"GREETING": "hi"}, "PLAN-")


@pytest.mark.parametrize("text", ["", "A", "=x", "A B=c", "-"])
def test_what_is_no_variable_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="--env"):
        service(tmp_path, {"GREETING": ""}, text)


def test_it_is_on_8080_if_that_is_free_and_where_it_is_told_to_be() -> None:
    host, port = place("")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 8080:
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
            port = place("")[1]
    assert host == "127.0.0.1"
    assert port != 8080


def test_it_is_where_it_is_told_to_be_unless_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=str(port)):
            place(f"127.0.0.1:{port}")
    assert place(f"127.0.0.1:{port}") == ("127.0.0.1", port)
    assert place(f"[::]:{port}") == ("0.0.0.0", port)


@pytest.mark.parametrize(
    "address",
    ["8080", ":8080", "localhost", "a:0", "a:65536", "a:b", "::1:8"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="--address"):
        place(address)


def test_old_and_new_flags_choose_the_runtime() -> None:
    assert runtime_for(True, "host") == "docker"
    assert runtime_for(False, "pack") == "process"
    assert runtime_for(None, "host") == "process"
    assert seconds_of("1m30s") == 90
    with pytest.raises(InvalidInput, match="start-timeout"):
        seconds_of("soon")
