"""What holds for every runtime: the promises of ``knlite/runtime/port.py``.

Pins Knative reference §4 (runtime contract) and §3.8 (shutdown). What every runtime promises runs
against the process runtime and the fake; what only real programs can show, against the former.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.errors import InstanceFailed
from knlite.runtime.fake import FakeRuntime
from knlite.runtime.port import ContainerLaunch, Instance, Launch, Prepared, Runtime
from knlite.runtime.process.runtime import ProcessRuntime
from knlite.serving.container import Mount, Security
from knlite.serving.volume import File, FileVolume
from knlite.serving.workload import FunctionProject, LocalCommand, StoredImage, Workload

PATIENCE = 30.0
"""Seconds before something counts as never coming; below what programs here sleep for."""

SERVER = """
import os, signal, socket, sys, time
print("started", os.environ.get("GREETING"), flush=True)
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "short" in sys.argv: sys.exit(7)
if "killed" in sys.argv: os.kill(os.getpid(), 9)
if "child" in sys.argv:
    import subprocess
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    print("child", child.pid, flush=True)
if "long" in sys.argv: print("x" * 40000, end="")
if "flood" in sys.argv:
    for number in range(20000): print("line", number)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sys.stderr.write("listening"); sys.stderr.flush()
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nok")
    connection.close()
"""

PYTHON = f"{sys.executable} -S"


@dataclass
class Log:
    """Collects what an instance writes."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, stream: Literal["stdout", "stderr"], line: str) -> None:
        self.lines.append((stream, line))

    def of(self, stream: str) -> list[str]:
        return [line for name, line in self.lines if name == stream]


def launch(prepared: Prepared, name: str = "one", **env: str) -> Launch:
    return Launch(
        namespace="default",
        service="s",
        revision="s-00001",
        instance=name,
        port=8080,
        serving=ContainerLaunch(name="user-container", prepared=prepared, env=env),
    )


def server(folder: Path, *words: str) -> LocalCommand:
    (folder / "server.py").write_text(SERVER)
    return LocalCommand(f"{PYTHON} server.py $PORT {' '.join(words)}", str(folder))


def quiet(container: str) -> Log:
    """The log of a container at which no test looks."""
    return Log()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  The condition is another process's.
            await asyncio.sleep(0.005)


async def answered(instance: Instance, path: str = "/", body: bytes = b"") -> bytes:
    """The answer to a request, sent again until somebody listens."""
    with anyio.fail_after(PATIENCE):
        while True:
            try:
                reader, writer = await asyncio.open_connection(*instance.address)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.005)
        method = "POST" if body else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return answer


async def listens(instance: Instance) -> None:
    """Return once something of the instance listens where it is expected."""
    with anyio.fail_after(PATIENCE):
        while instance.address not in (await instance.listening() or ()):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def processes(cache: Path) -> AsyncIterator[ProcessRuntime]:
    runtime = ProcessRuntime(
        gateway_port=8080, cache_dir=cache, owner="test", environ=dict(os.environ)
    )
    try:
        yield runtime
    finally:
        await runtime.aclose()


@pytest.fixture(params=["process", "fake"])
async def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Runtime]:
    if request.param == "fake":
        yield FakeRuntime(SystemClock())
        return
    async with processes(tmp_path / "cache") as made:
        yield made


@pytest.fixture
async def process_runtime(tmp_path: Path) -> AsyncIterator[ProcessRuntime]:
    async with processes(tmp_path / "cache") as made:
        yield made


def silent(text: str) -> None:
    """Takes reports that a test does not look at."""


async def started(runtime: Runtime, workload: Workload, log: Log, **env: str) -> Instance:
    prepared = await runtime.prepare(workload, silent)
    return await runtime.start(launch(prepared, **env), lambda _: log)


async def test_an_instance_answers_where_it_says(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    instance = await started(process_runtime, server(tmp_path), Log())
    try:
        assert b"200" in await answered(instance)
    finally:
        await instance.stop(1)


async def test_stopping_ends_wait_and_stopping_twice_does_nothing(
    runtime: Runtime, tmp_path: Path
) -> None:
    instance = await started(runtime, server(tmp_path), Log())
    await listens(instance)
    await instance.stop(5)
    await instance.stop(5)
    with anyio.fail_after(PATIENCE):
        assert (await instance.wait()).code == 128 + signal.SIGTERM


async def test_a_command_has_a_code_until_the_instance_ends(
    runtime: Runtime, tmp_path: Path
) -> None:
    instance = await started(runtime, server(tmp_path), Log())
    assert (await instance.exec("user-container", ["true"], 5)).code == 0
    assert (await instance.exec("user-container", [], 5)).code not in (0, None)
    usage = await instance.usage()
    assert usage is not None
    assert usage.cpu_seconds >= 0
    await instance.stop(5)
    assert (await instance.exec("user-container", ["true"], 5)).code not in (0, None)
    assert await instance.usage() is None


async def test_an_instance_is_started_again_under_its_name_and_then_discarded(
    runtime: Runtime, tmp_path: Path
) -> None:
    for _ in range(2):
        instance = await started(runtime, server(tmp_path), Log())
        await runtime.refresh("one", {"v": FileVolume({"key": File(b"x")})})
        await instance.stop(5)
    await runtime.discard("one")
    await runtime.discard("one")
    await runtime.refresh("one", {"v": FileVolume({})})


async def test_a_program_that_serves_nobody_has_no_port(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    prepared = await process_runtime.prepare(LocalCommand("env", str(tmp_path)), silent)
    log = Log()
    instance = await process_runtime.start(replace(launch(prepared), port=0), lambda _: log)
    await instance.wait()
    names = {line.partition("=")[0] for line in log.of("stdout")}
    assert not names & {"PORT", "LISTEN_ADDRESS", "FUNC_PORT"}


async def test_a_program_reads_the_files_where_a_variable_tells_them(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    command = LocalCommand("sh -c 'cat $WHERE/event'", str(tmp_path))
    prepared = await process_runtime.prepare(command, silent)
    mount = Mount(volume="v", path="/etc/v", sub_path="", read_only=True)
    asked = launch(prepared, WHERE="/etc/v")
    asked = replace(
        asked,
        serving=replace(asked.serving, mounts=(mount,)),
        volumes={"v": FileVolume({"event": File(b"found\n")})},
    )
    log = Log()
    instance = await process_runtime.start(asked, lambda _: log)
    assert (await instance.wait()).code == 0
    assert log.of("stdout") == ["found"]
    await process_runtime.discard("one")
    assert not list((tmp_path / "cache" / "volumes").glob("*/*"))


async def test_a_command_runs_beside_the_program(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    instance = await started(process_runtime, server(tmp_path), Log(), GREETING="hello")
    try:
        told = await instance.exec("c", ["sh", "-c", "echo $GREETING; pwd >&2; exit 3"], 10)
        assert (told.code, told.output) == (3, f"hello\n{tmp_path}\n")
        assert (await instance.exec("c", ["/no/such"], 10)).code == 127
        with anyio.fail_after(PATIENCE):
            late = await instance.exec("c", ["sh", "-c", "echo begun; sleep 60"], 0.3)
        assert (late.code, late.output) == (None, "begun\n")
        usage = await instance.usage()
        assert usage is not None
        assert usage.memory_bytes > 1 << 20
    finally:
        await instance.stop(5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process to another user")
async def test_root_can_start_a_program_as_another_user(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    workload = LocalCommand("id", str(tmp_path))
    prepared = await process_runtime.prepare(workload, silent)
    asked = launch(prepared)
    serving = replace(asked.serving, security=Security(user=2020, group=3030))
    log = Log()
    instance = await process_runtime.start(replace(asked, serving=serving), lambda _: log)
    with anyio.fail_after(PATIENCE):
        assert (await instance.wait()).code == 0
    assert log.of("stdout")[0].startswith("uid=2020 gid=3030")


async def test_the_digest_stays_until_the_code_changes(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    runtime = process_runtime
    workload = server(tmp_path)
    first = await runtime.prepare(workload, silent)
    assert (await runtime.prepare(workload, silent)).digest == first.digest
    (tmp_path / "server.py").write_text(SERVER + "# changed\n")
    assert (await runtime.prepare(workload, silent)).digest != first.digest


async def test_two_instances_have_two_addresses(runtime: Runtime, tmp_path: Path) -> None:
    prepared = await runtime.prepare(server(tmp_path), silent)
    one = await runtime.start(launch(prepared, "one"), quiet)
    two = await runtime.start(launch(prepared, "two"), quiet)
    try:
        assert one.address != two.address
        await listens(one)
        await listens(two)
    finally:
        await one.stop(1)
        await two.stop(1)


@pytest.mark.parametrize(
    ("word", "code"), [pytest.param("short", 7, id="exit"), pytest.param("killed", 137, id="kill")]
)
async def test_a_program_that_ends_by_itself_ends_wait(
    process_runtime: ProcessRuntime, tmp_path: Path, word: str, code: int
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, word), log, GREETING="hello")
    with anyio.fail_after(PATIENCE):
        how = await instance.wait()
    assert (how.code, how.container) == (code, "user-container")
    assert log.of("stdout") == ["started hello"]
    assert (await instance.wait()).message == "started hello", "the end of its log"


async def test_output_comes_by_lines_and_the_last_one_needs_no_end(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, "flood"), log)
    await answered(instance)
    await instance.stop(5)
    assert log.of("stdout")[1:] == [f"line {number}" for number in range(20000)]
    assert log.of("stderr") == ["listening"]


async def test_a_line_without_end_is_given_in_pieces(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, "long"), log)
    await answered(instance)
    await instance.stop(5)
    assert [len(line) for line in log.of("stdout")[1:]] == [16384, 16384, 40000 - 2 * 16384]


async def test_what_ignores_sigterm_is_killed_after_the_grace(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    instance = await started(process_runtime, server(tmp_path, "stubborn"), Log())
    await answered(instance)
    with anyio.fail_after(PATIENCE):
        await instance.stop(0.1)
    assert (await instance.wait()).code == 128 + signal.SIGKILL


async def test_children_end_with_their_instance(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, "child"), log)
    await answered(instance)
    child = int(log.of("stdout")[1].split()[1])
    assert alive(child)
    await instance.stop(5)
    assert not alive(child)


async def test_it_says_where_a_program_listens_in_truth(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    instance = await started(process_runtime, server(tmp_path), Log())
    await answered(instance)
    assert await instance.listening() == (instance.address,)
    await instance.stop(5)


async def test_a_program_that_is_not_there_is_a_start_error(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    with pytest.raises(InstanceFailed) as failed:
        await started(process_runtime, LocalCommand("no-such-program", str(tmp_path)), Log())
    assert failed.value.reason == "StartError"


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        pytest.param(StoredImage("docker.io/x"), "ContainerEngineMissing", id="image"),
        pytest.param(LocalCommand("'", "."), "InvalidCommand", id="quote"),
        pytest.param(LocalCommand("x", "/no/such/folder"), "FolderMissing", id="folder"),
        pytest.param(
            FunctionProject(folder="docs/adr", name="f", language="cobol", image=""),
            "FunctionNotSupported",
            id="language",
        ),
    ],
)
async def test_what_cannot_be_a_process_says_what_to_do(
    process_runtime: ProcessRuntime, workload: Workload, reason: str
) -> None:
    with pytest.raises(InstanceFailed) as failed:
        await process_runtime.prepare(workload, silent)
    assert failed.value.reason == reason
    assert failed.value.fix


@pytest.mark.parametrize("steps", range(6))
async def test_a_start_that_is_cancelled_leaves_nothing(
    process_runtime: ProcessRuntime, tmp_path: Path, steps: int
) -> None:
    prepared = await process_runtime.prepare(server(tmp_path, "stubborn"), silent)
    task = asyncio.ensure_future(process_runtime.start(launch(prepared), quiet))
    for _ in range(steps):
        await asyncio.sleep(0)
    if task.cancel():
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        await task.result().stop(0)
    await until(lambda: not [pid for pid in _running() if _folder(pid) == tmp_path])


async def test_a_function_runs_without_an_installation(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    (tmp_path / "func.py").write_text(
        "from parliament import Context\ndef main(context: Context):\n"
        "    print('called')\n    return 'hello', 200\n"
    )
    (tmp_path / "requirements.txt").write_text("parliament-functions==0.1.0\n")
    project = FunctionProject(folder=str(tmp_path), name="f", language="python", image="")
    reports: list[str] = []
    log = Log()
    prepared = await process_runtime.prepare(project, reports.append)
    instance = await process_runtime.start(launch(prepared), lambda _: log)
    assert (await answered(instance)).endswith(b"hello")
    await instance.stop(5)
    assert (await instance.wait()).code == 0
    assert log.of("stdout") == ["called"]
    assert reports == []


OWNER = """
import asyncio, os, sys
from pathlib import Path
from knlite.runtime.port import ContainerLaunch, Launch
from knlite.runtime.process.runtime import ProcessRuntime
from knlite.serving.workload import LocalCommand

async def run():
    runtime = ProcessRuntime(
        gateway_port=1, cache_dir=Path("."), owner="crash", environ=dict(os.environ))
    prepared = await runtime.prepare(LocalCommand(sys.argv[1], sys.argv[2]), print)
    serving = ContainerLaunch(name="c", prepared=prepared)
    launch = Launch(
        namespace="n", service="s", revision="r", instance="i", port=1, serving=serving)
    instance = await runtime.start(launch, lambda name: lambda stream, line: None)
    if "unguarded" in sys.argv:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        for child in children:
            if child != instance.label.split()[1]: os.kill(int(child), 9)
    print(instance.label.split()[1], instance.address.port, flush=True)
    await instance.wait()

asyncio.run(run())
"""


def _owned(tmp_path: Path, *words: str) -> tuple["subprocess.Popen[str]", int]:
    """A process that owns an instance, and the instance's pid once it listens."""
    workload = server(tmp_path)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, workload.command, workload.folder, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pid, port = owner.stdout.readline().split()
    owner.stdout.close()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                break
    return owner, int(pid)


async def test_kill_9_of_the_owner_leaves_nothing(tmp_path: Path) -> None:
    owner, pid = _owned(tmp_path)
    assert alive(pid)
    owner.kill()
    owner.wait()
    await until(lambda: not alive(pid))


async def test_what_the_guard_missed_is_swept_by_the_next_run(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    owner, pid = _owned(tmp_path, "unguarded")
    assert not [word for word in await process_runtime.sweep() if str(pid) in word]
    owner.kill()
    owner.wait()
    assert alive(pid)
    assert [word for word in await process_runtime.sweep() if f"process {pid} " in word]
    await until(lambda: not alive(pid))


def _running() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]


def _folder(pid: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


async def test_the_code_of_what_is_forgotten_goes_when_its_last_instance_has_ended(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    project = FunctionProject(folder=str(folder), name="f", language="python", image="")

    async def saved(text: str) -> Prepared:
        (folder / "func.py").write_text(f"def main(context):\n    return '{text}', 200\n")
        return await process_runtime.prepare(project, silent)

    first, second = await saved("first"), await saved("second")
    kept = tmp_path / "cache" / "sources"
    assert len(list(kept.iterdir())) == 2
    instance = await process_runtime.start(launch(first), quiet)
    assert (await answered(instance)).endswith(b"first")
    async with anyio.create_task_group() as group:
        group.start_soon(process_runtime.forget, first, [second])
        await anyio.wait_all_tasks_blocked()
        assert len(list(kept.iterdir())) == 2
        await instance.stop(5)
    assert len(list(kept.iterdir())) == 1
    await process_runtime.forget(second, [await process_runtime.prepare(project, silent)])
    assert len(list(kept.iterdir())) == 1


async def test_code_that_is_prepared_again_while_its_last_instance_ends_stays(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "func.py").write_text("def main(context):\n    return 'there', 200\n")
    project = FunctionProject(folder=str(folder), name="f", language="python", image="")
    first = await process_runtime.prepare(project, silent)
    instance = await process_runtime.start(launch(first), quiet)
    async with anyio.create_task_group() as group:
        group.start_soon(process_runtime.forget, first, [])
        await anyio.wait_all_tasks_blocked()
        again = await process_runtime.prepare(project, silent)
        await instance.stop(5)
    instance = await process_runtime.start(launch(again, "two"), quiet)
    assert (await answered(instance)).endswith(b"there")
    await instance.stop(5)


@pytest.mark.parametrize(
    ("told", "seen"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("1 Main St", "1 Main St")]
)
async def test_all_interfaces_of_a_container_are_not_all_of_the_machine(
    process_runtime: ProcessRuntime, tmp_path: Path, told: str, seen: str
) -> None:
    """``func deploy`` sets ADDRESS; servers that read it would listen for everybody."""
    (tmp_path / "tell.py").write_text("import os\nprint(os.environ['ADDRESS'])\n")
    command = LocalCommand(f"{PYTHON} tell.py", str(tmp_path))
    prepared, log = await process_runtime.prepare(command, silent), Log()
    instance = await process_runtime.start(launch(prepared, ADDRESS=told), lambda _: log)
    await instance.wait()
    assert log.of("stdout") == [seen]


async def test_a_cache_that_cannot_be_written_fails_what_needs_it(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("def main(context): ...\n")
    (tmp_path / "cache").write_text("in the way")
    async with processes(tmp_path / "cache") as runtime:
        prepared = await runtime.prepare(LocalCommand("sleep 60", str(tmp_path)), silent)
        await (await runtime.start(launch(prepared), quiet)).stop(5)
        project = FunctionProject(folder=str(tmp_path), name="f", language="python", image="")
        with pytest.raises(InstanceFailed, match="cache cannot be filled") as failed:
            await runtime.prepare(project, silent)
    assert failed.value.reason == "CacheNotWritten"
