"""Local runs of a function, as ``func`` records them (Knative Functions reference §4.5)."""

import socket
from pathlib import Path

import pytest

from knlite.functions.runs import recorded, running


def refuse(text: str) -> None:
    raise AssertionError(text)


def test_a_run_is_found_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert running(tmp_path) is None
        with recorded(tmp_path, "127.0.0.1", port, refuse):
            assert (tmp_path / ".func" / "runs" / str(port)).is_dir()
            assert running(tmp_path) == f"localhost:{port}"
        assert running(tmp_path) is None
        assert not list((tmp_path / ".func" / "runs").iterdir())


def test_what_was_killed_is_not_found_and_is_removed_by_the_next_run(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        stale = tmp_path / ".func" / "runs" / str(gone.getsockname()[1])
    stale.mkdir(parents=True)
    assert running(tmp_path) is None
    (tmp_path / ".func" / "runs" / "README").mkdir()
    with recorded(tmp_path, "127.0.0.1", 1, refuse):
        assert not stale.exists()
        assert (tmp_path / ".func" / "runs" / "README").exists()


def test_a_run_elsewhere_than_on_loopback_says_where(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listening:
        port = listening.getsockname()[1]
        with recorded(tmp_path, "127.0.0.2", port, refuse):
            assert running(tmp_path) == f"127.0.0.2:{port}"


def test_a_run_everywhere_is_reached_on_loopback(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        port = listening.getsockname()[1]
        with recorded(tmp_path, "0.0.0.0", port, refuse):
            assert running(tmp_path) == f"localhost:{port}"


def test_where_nothing_can_be_written_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".func").write_text("no folder")
    said: list[str] = []
    with recorded(tmp_path, "127.0.0.1", 1, said.append):
        assert running(tmp_path) is None
    assert said[0].startswith("func invoke will not find it by itself: ")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "x" * 300, "2001:db8::1"])
def test_a_run_is_of_this_machine_whatever_its_file_says(tmp_path: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        run = tmp_path / ".func" / "runs" / str(port)
        run.mkdir(parents=True)
        (run / "address").write_text(f"{host}:{port}\n")
        assert running(tmp_path) == f"localhost:{port}"
