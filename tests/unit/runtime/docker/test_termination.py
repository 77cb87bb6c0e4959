"""Last words of containers (Kubernetes ``terminationMessagePath``)."""

import io
import tarfile
from collections.abc import Iterator

import pytest

from knlite.runtime.docker.termination import termination_message

FOLDER = 1 << 31


class Client:
    """The one call of the SDK that is needed; notes whether the archive was read."""

    def __init__(self, content: bytes = b"", *, mode: int = 0o644, size: int | None = None) -> None:
        self.content = content
        self.about = {"mode": mode, "size": len(content) if size is None else size}
        self.was_read = False

    def get_archive(self, container: str, path: str) -> tuple[Iterator[bytes], dict[str, int]]:
        return self.parts(), self.about

    def parts(self) -> Iterator[bytes]:
        self.was_read = True
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            member = tarfile.TarInfo("why")
            member.size = len(self.content)
            archive.addfile(member, io.BytesIO(self.content))
        yield data.getvalue()


def test_what_a_file_holds_is_the_message() -> None:
    assert termination_message(Client(b"no database"), "c", "/tmp/why") == "no database"


@pytest.mark.parametrize(
    ("client", "path"),
    [
        pytest.param(Client(mode=FOLDER | 0o755), "/", id="a folder, which may hold everything"),
        pytest.param(Client(size=1 << 30), "/tmp/big", id="a large file"),
        pytest.param(Client(b"x"), "/dev/termination-log", id="gone with the memory it lay in"),
    ],
)
def test_what_is_no_message_is_not_even_fetched(client: Client, path: str) -> None:
    assert termination_message(client, "c", path) == ""
    assert not client.was_read
