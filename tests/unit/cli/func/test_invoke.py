"""What ``func invoke`` sends, and to whom (Knative Functions reference §4.6)."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from knlite.cli.func.invoke import Message, aim_at, event_of, extensions_of, format_of, invoke
from knlite.cli.func.opened import Opened, image_of, open_function
from knlite.errors import InvalidInput, NotFound, Unreachable
from knlite.functions.runs import recorded

FUNC = "specVersion: 0.36.0\nname: web\nruntime: python\ncreated: 2026-01-02T03:04:05Z\n"


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    (tmp_path / "func.yaml").write_text(FUNC)
    return open_function(tmp_path, "invoke")


def test_the_local_instance_comes_first(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with recorded(opened.folder, "127.0.0.1", port, print):
            for target in ("", "local"):
                assert aim_at(opened, target, 1).url == f"http://localhost:{port}/"
            assert aim_at(opened, "http://x.example.org/a", 1).url == "http://x.example.org/a"
            with pytest.raises(Unreachable, match="not running in remote"):
                aim_at(opened, "remote", 1)


def test_a_content_type_cannot_bring_headers_in(opened: Opened) -> None:
    message = Message(content_type="text/plain\r\nX-Role: admin")
    with pytest.raises(InvalidInput, match="Content-Type cannot be sent"):
        invoke(opened, "http://127.0.0.1:1/", message, 1, insecure=False, verbose=False)


def test_only_what_func_yaml_says_can_be_contradicted(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    for declared, warned in (("", False), ("http", True), ("cloudevent", False)):
        function = Opened(opened.folder, replace(opened.func, invoke=declared))
        with pytest.raises(Unreachable):
            invoke(
                function,
                "http://127.0.0.1:1/",
                Message(format="cloudevents"),
                1,
                insecure=False,
                verbose=False,
            )
        assert ("Warning: invoking as" in capsys.readouterr().err) == warned


def test_without_any_instance_it_says_so(opened: Opened) -> None:
    with pytest.raises(NotFound, match="not running locally"):
        aim_at(opened, "local", 1)
    with pytest.raises(Unreachable, match="not running locally or in the remote"):
        aim_at(opened, "", 1)


def test_an_event_has_funcs_defaults() -> None:
    event = event_of(Message(), {"Tenant": "eu"}, b"{}")
    assert (event.source, event.type, event.content_type) == (
        "/boson/fn",
        "boson.fn",
        "application/json",
    )
    assert event.attributes["tenant"] == "eu"
    assert len(event.id) == 36
    assert event_of(Message(method="GET"), {}, b"{}").data is None


def test_extensions_and_formats_are_read_as_func_reads_them() -> None:
    assert extensions_of(["a=1,b=2", "c=3=4"]) == {"a": "1", "b": "2", "c": "3=4"}
    for wrong in ("a", "=1", "a=1,"):
        with pytest.raises(InvalidInput, match="key=value"):
            extensions_of([wrong])
    assert (format_of("CloudEvents"), format_of("")) == ("cloudevent", "")
    with pytest.raises(InvalidInput, match="not supported"):
        format_of("xml")


def test_a_folder_without_a_function_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_function(tmp_path, "invoke")
    assert str(refused.value).startswith(f"'{tmp_path}' does not contain an initialized function")


def test_an_image_has_a_name_even_if_nothing_gives_one(opened: Opened) -> None:
    assert image_of(opened.func) == "knlite.local/web:latest"
    assert image_of(opened.func, "ghcr.io/ada/") == "ghcr.io/ada/web:latest"
