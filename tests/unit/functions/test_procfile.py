"""The command of a Procfile; Knative Functions reference §2.7."""

from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions import procfile


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("web: ./server --port $PORT\n", ("./server", "--port", "$PORT"), id="plain"),
        pytest.param(
            "release: x\nweb: 'a b' c\nworker: y", ("a b", "c"), id="quotes, other processes"
        ),
        pytest.param("web: a\r\n", ("a",), id="Windows line ends"),
        pytest.param("web: exec a b", ("a", "b"), id="no shell to replace"),
        pytest.param("web: A=1 b", ("env", "A=1", "b"), id="a variable"),
        pytest.param("web: a > b", ("/bin/sh", "-c", "exec a > b"), id="needs a shell"),
        pytest.param("web: cd x && ./a", ("/bin/sh", "-c", "cd x && ./a"), id="several commands"),
    ],
)
def test_the_words_of_its_web_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "Procfile").write_bytes(text.encode())
    found = procfile.read(tmp_path)
    assert found is not None
    assert found.words == words


def test_without_the_file_there_is_no_command(tmp_path: Path) -> None:
    assert procfile.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "worker: x\n", "web:\n", "web: 'open\n"])
def test_a_procfile_without_a_command_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    with pytest.raises(InstanceFailed, match="Procfile"):
        procfile.read(tmp_path)
