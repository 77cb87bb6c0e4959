"""The contract of ``runtime/port.py`` on a real engine, and what only containers have.

Pins Knative reference §4 (runtime contract: environment, argv, user, limits) and §3.8 (SIGTERM,
then SIGKILL). ``KNLITE_REQUIRE=docker`` turns a missing engine from a skip into a failure. Images
are made FROM python:3.11-slim, which must be in the engine's store or within its reach.
"""

import ast
import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.container import Image
from knlite.runtime.docker.engine import Engine, NoEngine, find_engine
from knlite.runtime.docker.function_image import FunctionCode, FunctionCodes, Target
from knlite.runtime.docker.images import find_image
from knlite.runtime.docker.network import HOST_GATEWAY, Network, find_network
from knlite.runtime.docker.owner import OWNER, Owner, current_owner
from knlite.runtime.docker.runtime import DockerRuntime, open_runtime
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import ContainerLaunch, Instance, Launch, Prepared, Report
from knlite.serving.container import Limits, Security
from knlite.serving.instance import Address
from knlite.serving.vantage import ByHost
from knlite.serving.workload import DockerfileFolder, FunctionProject, LocalCommand, StoredImage
from tests.required import missing

pytestmark = pytest.mark.docker

SECONDS = 30
"""Deadline for anything that a test waits for."""

SERVER = """
import os, signal, socket, sys

if "IGNORE_SIGTERM" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "EXIT" in os.environ:
    print("last words", file=sys.stderr, end="")
    sys.exit(int(os.environ["EXIT"]))
if "EAT" in os.environ:
    eaten = bytearray(os.urandom(1 << 20) * 512)
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", int(os.environ["PORT"])))
server.listen(64)
print("listening on", os.environ["PORT"], flush=True)
while True:
    client, _ = server.accept()
    client.recv(65536)
    status = open("/proc/self/status").read()
    answer = repr({
        "env": dict(os.environ), "argv": sys.argv, "uid": os.getuid(), "cwd": os.getcwd(),
        "hosts": open("/etc/hosts").read(),
        "no_new_privileges": "NoNewPrivs:\\t1" in status,
    }).encode()
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(answer) + answer)
    client.close()
"""

DOCKERFILE = """
FROM python:3.11-slim
WORKDIR /srv
COPY server.py .
ENTRYPOINT ["python3", "-S", "/srv/server.py"]
CMD ["from-image"]
"""


class Log:
    """Collects what instances write."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, stream: str, text: str) -> None:
        self.lines.append((stream, text))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def engine(anyio_backend: str) -> Engine:
    found = await find_engine(os.environ)
    if isinstance(found, NoEngine):
        missing("docker", found.why)
    return found


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> FunctionCodes:
    async def no_code(
        project: FunctionProject, folder: Path, target: Target, report: object
    ) -> FunctionCode:
        raise AssertionError(project)

    return FunctionCodes(no_code, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
async def runtime(engine: Engine, codes: FunctionCodes) -> AsyncIterator[DockerRuntime]:
    opened = await open_runtime(
        engine,
        gateway_port=8080,
        hosts=lambda: ["hello.default.svc.cluster.local"],
        function_code=codes,
    )
    yield opened
    await opened.aclose()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("server")
    (made / "server.py").write_text(SERVER)
    (made / "Dockerfile").write_text(DOCKERFILE)
    return made


@pytest.fixture(scope="module")
async def prepared(runtime: DockerRuntime, folder: Path) -> Prepared:
    return await runtime.prepare(workload(folder), print)


def workload(folder: Path) -> DockerfileFolder:
    return DockerfileFolder(str(folder), "knlite.local/contract:latest")


def launch(
    prepared: Prepared,
    *,
    instance: str = "",
    port: int = 8080,
    pod: Mapping[str, object] = MappingProxyType({}),
    **container: object,
) -> Launch:
    """An instance of one container; *pod* are further fields of the launch."""
    serving = ContainerLaunch(
        name="user-container",
        prepared=prepared,
        env={"K_SERVICE": "hello", "GREETING": "hé llo"},
    )
    whole = Launch(
        namespace="default",
        service="hello",
        revision="hello-00001",
        instance=instance or f"hello-00001-{uuid.uuid4().hex[:8]}",
        port=port,
        serving=replace(serving, **container),
    )
    return replace(whole, **pod)


def into(log: Log) -> Callable[[str], Log]:
    """Collect what any container writes in *log*."""
    return lambda container: log


def told(said: list[str]) -> Report:
    """Collect in *said* what is done, without how far it is."""

    def report(text: str, share: float | None = None) -> None:
        if share is None:
            said.append(text)

    return report


def quiet(container: str) -> Log:
    """The log of a container at which no test looks."""
    return Log()


async def answer(address: Address) -> dict[str, object]:
    """What the server says, as soon as it says something."""
    with anyio.fail_after(SECONDS):
        while True:
            whole = b""
            try:
                async with await anyio.connect_tcp(*address) as stream:
                    await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    async for part in stream:
                        whole += part
            except (OSError, anyio.BrokenResourceError):
                pass
            if not whole:
                await anyio.sleep(0.005)
                continue
            return dict(ast.literal_eval(whole.partition(b"\r\n\r\n")[2].decode()))


async def until(true: Callable[[], bool]) -> None:
    deadline = anyio.current_time() + SECONDS
    while not await asyncio.to_thread(true):
        assert anyio.current_time() < deadline


def exists(engine: Engine, name: str) -> bool:
    return bool(engine.client.containers(all=True, filters={"name": name}))


async def test_an_instance_answers_with_the_environment_of_the_contract(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    log = Log()
    started = launch(prepared, port=9000)
    instance = await runtime.start(started, into(log))
    try:
        seen = await answer(instance.address)
    finally:
        await instance.stop(1)
    assert seen["env"] | {"PORT": "9000", **started.serving.env} == seen["env"]
    assert seen["argv"] == ["/srv/server.py", "from-image"]
    assert seen["no_new_privileges"] is True
    assert ("stdout", "listening on 9000") in log.lines
    assert instance.label.startswith("container ")


async def test_arguments_folder_and_user_replace_those_of_the_image(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared, args=("a", "b c"), working_dir="/tmp", security=Security(user=1234))
    instance = await runtime.start(asked, quiet)
    try:
        seen = await answer(instance.address)
    finally:
        await instance.stop(1)
    assert seen["argv"] == ["/srv/server.py", "a", "b c"]
    assert (seen["cwd"], seen["uid"]) == ("/tmp", 1234)


async def test_a_command_drops_the_arguments_of_the_image(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared, command=("python3", "-E", "/srv/server.py"))
    instance = await runtime.start(asked, quiet)
    try:
        assert (await answer(instance.address))["argv"] == ["/srv/server.py"]
    finally:
        await instance.stop(1)


async def test_cluster_names_lead_to_the_gateway(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    sink = "http://broker-ingress.knative-eventing.svc.cluster.local:8080/default/default"
    instance = await runtime.start(launch(prepared, env={"K_SINK": sink}), quiet)
    try:
        hosts = str((await answer(instance.address))["hosts"]).split()
    finally:
        await instance.stop(1)
    assert runtime.vantage == ByHost(8080)
    for name in (
        "hello.default.svc.cluster.local",
        "broker-ingress.knative-eventing.svc.cluster.local",
    ):
        assert hosts[hosts.index(name) - 1] in (runtime.network.gateway, "0.0.0.0") or (
            runtime.network.kind == "published"
        )


async def test_a_container_reaches_what_listens_at_the_bind_address(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    if not runtime.bind_addresses():
        pytest.skip("containers reach the gateway on loopback here")
    met = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, runtime.bind_addresses()[0], 0)
    port = server.sockets[0].getsockname()[1]
    program = (
        f"import socket; socket.create_connection(('hello.default.svc.cluster.local', {port}), 10)"
    )
    log = Log()
    asked = launch(prepared, command=("python3", "-c", program))
    instance = await runtime.start(asked, into(log))
    with anyio.fail_after(SECONDS):
        assert (await instance.wait()).code == 0, log.lines
    assert met.is_set()
    server.close()
    await server.wait_closed()


async def test_limits_are_set_on_the_container(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared, limits=Limits(cpus=0.5, memory=64 * 1024 * 1024))
    instance = await runtime.start(asked, quiet)
    try:
        host = engine.client.inspect_container(asked.instance)["HostConfig"]
    finally:
        await instance.stop(1)
    assert host["NanoCpus"] == 500_000_000
    assert host["Memory"] == host["MemorySwap"] == 64 * 1024 * 1024
    assert set(host["CapDrop"]) >= {"NET_RAW"}
    assert not host["Privileged"]


async def test_a_program_that_exceeds_its_memory_is_told_apart(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    log = Log()
    asked = launch(prepared, env={"EAT": "1"}, limits=Limits(memory=32 * 1024 * 1024))
    instance = await runtime.start(asked, into(log))
    with anyio.fail_after(SECONDS):
        assert (await instance.wait()).code == 137
    assert any("memory limit" in text for _, text in log.lines)


async def test_a_program_that_ends_by_itself_leaves_its_code_and_last_words_and_nothing_else(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    log = Log()
    asked = launch(prepared, env={"EXIT": "3"})
    instance = await runtime.start(asked, into(log))
    with anyio.fail_after(SECONDS):
        assert (await instance.wait()).code == 3
    assert log.lines == [("stderr", "last words")]
    await until(lambda: not exists(engine, asked.instance))
    await instance.stop(5)


async def test_stop_ends_a_program_that_has_no_handler_at_once(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared)
    instance = await runtime.start(asked, quiet)
    await answer(instance.address)
    with anyio.fail_after(10):
        await instance.stop(60)
    assert (await instance.wait()).code == 128 + signal.SIGTERM
    assert not exists(engine, asked.instance)


async def test_stop_kills_what_ignores_sigterm_after_the_grace(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared, env={"IGNORE_SIGTERM": "1"})
    instance = await runtime.start(asked, quiet)
    await answer(instance.address)
    begun = anyio.current_time()
    await instance.stop(0.5)
    assert anyio.current_time() - begun >= 0.5
    assert (await instance.wait()).code == 137
    assert not exists(engine, asked.instance)


async def test_stopping_twice_at_once_does_nothing_more(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    instance = await runtime.start(launch(prepared), quiet)
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(instance.stop, 5)
            tasks.start_soon(instance.stop, 5)
        await instance.stop(5)


async def test_a_container_removed_by_somebody_else_has_ended(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared)
    instance = await runtime.start(asked, quiet)
    await answer(instance.address)
    await asyncio.to_thread(engine.client.remove_container, asked.instance, force=True)
    with anyio.fail_after(SECONDS):
        assert (await instance.wait()).code == 137
        await instance.stop(5)


@pytest.mark.parametrize("delay", [0, 0.005, 0.05, 0.1])
async def test_a_cancelled_start_leaves_no_container(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared, delay: float
) -> None:
    asked = launch(prepared)
    instance = None
    with anyio.move_on_after(delay):
        instance = await runtime.start(asked, quiet)
    if instance is not None:
        await instance.stop(0)
    assert not exists(engine, asked.instance)


async def test_it_tells_where_a_program_listens_in_truth(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    if runtime.network.kind != "bridge":
        pytest.skip("processes of containers are not visible here")
    instance = await runtime.start(launch(prepared, port=8081), quiet)
    try:
        await answer(instance.address)
        assert await instance.listening() == (Address("0.0.0.0", 8081),)
    finally:
        await instance.stop(1)


async def test_an_unchanged_folder_is_not_built_again_and_a_changed_one_is(
    runtime: DockerRuntime, prepared: Prepared, folder: Path
) -> None:
    said: list[str] = []
    assert (await runtime.prepare(workload(folder), told(said))).digest == prepared.digest
    assert said == []
    (folder / "server.py").write_text(SERVER + f"\n# {uuid.uuid4()}")
    edited = await runtime.prepare(workload(folder), told(said))
    assert edited.digest != prepared.digest
    assert any("COPY server.py" in text for text in said)
    (folder / "server.py").write_text(SERVER)
    assert (await runtime.prepare(workload(folder), print)).digest == prepared.digest


async def test_a_failed_build_repeats_the_last_lines(
    runtime: DockerRuntime, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nRUN echo too bad; exit 7\n")
    with pytest.raises(InstanceFailed) as failed:
        await runtime.prepare(DockerfileFolder(str(tmp_path), "knlite.local/broken:1"), print)
    assert failed.value.reason == "BuildFailed"
    assert "too bad" in failed.value.cause
    assert "returned a non-zero code: 7" in failed.value.cause
    assert failed.value.fix


async def test_an_ignored_file_is_not_sent(runtime: DockerRuntime, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nCOPY . /all\nRUN ls /all\n")
    (tmp_path / ".dockerignore").write_text("*.secret\n")
    (tmp_path / "my.secret").write_text("x")
    (tmp_path / "shown.txt").write_text(uuid.uuid4().hex)
    said: list[str] = []
    built = DockerfileFolder(str(tmp_path), "knlite.local/ignoring:1")
    await runtime.prepare(built, told(said))
    assert "shown.txt" in said
    assert "my.secret" not in said


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        pytest.param(
            StoredImage("knlite.local/absent:1", "Never"), "ErrImageNeverPull", id="never"
        ),
        pytest.param(StoredImage("127.0.0.1:1/absent:1"), "ErrImagePull", id="unreachable"),
        pytest.param(StoredImage("knlite.local/Upper:1"), "InvalidImageName", id="name"),
    ],
)
async def test_a_missing_image_is_named_by_its_reason(
    runtime: DockerRuntime, image: StoredImage, reason: str
) -> None:
    with pytest.raises(InstanceFailed) as failed:
        await runtime.prepare(image, print)
    assert failed.value.reason == reason
    assert image.reference in failed.value.what
    assert failed.value.cause
    assert failed.value.fix


async def test_a_stored_image_is_used_without_asking_a_registry(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    said: list[str] = []
    found = await runtime.prepare(StoredImage("knlite.local/contract:latest"), told(said))
    assert found.digest == prepared.digest
    assert found.digest.startswith("sha256:")
    assert said == []


async def test_a_digest_from_status_finds_the_image_that_was_built_here(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    for policy in ("IfNotPresent", "Always", "Never"):
        locked = StoredImage(f"knlite.local/contract@{prepared.digest}", policy)
        assert (await runtime.prepare(locked, print)).digest == prepared.digest


async def test_a_registry_that_does_not_answer_is_given_up(runtime: DockerRuntime) -> None:
    if runtime.network.kind != "bridge":
        pytest.skip("the engine has another loopback")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = f"127.0.0.1:{silent.getsockname()[1]}/slow:1"
        with anyio.fail_after(5), pytest.raises(InstanceFailed) as failed:
            await runtime.prepare(StoredImage(image, resolve_within=0.3), print)
    assert failed.value.reason == "ErrImagePull"
    assert "did not answer within 0.3 s" in failed.value.cause


async def test_a_plain_command_is_for_the_process_runtime(runtime: DockerRuntime) -> None:
    with pytest.raises(InstanceFailed, match="cannot run in a container"):
        await runtime.prepare(LocalCommand("./serve", "/"), print)


async def test_a_program_that_is_not_in_the_image_is_named_in_the_log(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    instance = await runtime.start(launch(prepared, command=("/no/such",)), into(log := Log()))
    with anyio.fail_after(SECONDS):
        assert (await instance.wait()).code == 127
    assert any("/no/such" in text and "No such file" in text for _, text in log.lines)


async def test_a_container_that_cannot_be_started_is_explained_and_leaves_nothing(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared, working_dir="/etc/passwd")
    with pytest.raises(InstanceFailed) as failed:
        await runtime.start(asked, quiet)
    assert failed.value.reason in ("RunContainerError", "CreateContainerError")
    assert "directory" in failed.value.cause
    assert not exists(engine, asked.instance)


async def test_an_image_without_a_command_is_explained(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    bare = await runtime.prepare(StoredImage("python:3.11-slim"), print)
    assert isinstance(bare.handle, Image)
    with pytest.raises(InstanceFailed) as failed:
        await runtime.start(launch(bare, command=("",)), quiet)
    assert failed.value.fix


CRASHING = """
import asyncio, os, sys
from pathlib import Path
from knlite.runtime.docker.engine import find_engine
from knlite.runtime.docker.function_image import FunctionCodes
from knlite.runtime.docker.runtime import open_runtime
from knlite.runtime.port import ContainerLaunch, Launch
from knlite.serving.workload import StoredImage

async def main():
    engine = await find_engine(os.environ)
    codes = FunctionCodes(None, Path(sys.argv[2]))
    runtime = await open_runtime(engine, gateway_port=1, hosts=lambda: (), function_code=codes)
    prepared = await runtime.prepare(StoredImage("knlite.local/contract:latest"), print)
    serving = ContainerLaunch(name="user-container", prepared=prepared)
    launch = Launch(namespace="default", service="hello", revision="hello-00001",
                    instance=sys.argv[1], port=8080, serving=serving)
    await runtime.start(launch, lambda container: lambda stream, text: None)
    print("started", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_what_a_killed_knlite_leaves_is_swept_and_what_lives_is_not(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared, tmp_path: Path
) -> None:
    mine = launch(prepared)
    instance: Instance = await runtime.start(mine, quiet)
    left = launch(prepared).instance
    other = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-c", textwrap.dedent(CRASHING), left, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == "started\n"
        assert not any(left in word for word in await runtime.sweep())
        other.kill()
        await asyncio.to_thread(other.wait)
        swept = await runtime.sweep()
    finally:
        other.kill()
        await asyncio.to_thread(other.communicate)
        await instance.stop(0)
    assert [word for word in swept if left in word]
    assert not any(mine.instance in word for word in swept)
    assert not exists(engine, left)


async def test_images_that_lost_their_name_are_swept_once_their_owner_is_dead(
    engine: Engine, runtime: DockerRuntime, codes: FunctionCodes, tmp_path: Path
) -> None:
    async def build(owner: Owner) -> str:
        (tmp_path / "Dockerfile").write_text(f"FROM python:3.11-slim\nENV X={uuid.uuid4()}\n")
        other = await variant(engine, runtime.network, codes, owner)
        built = DockerfileFolder(str(tmp_path), "knlite.local/superseded:1")
        return (await other.prepare(built, print)).digest

    me = current_owner(os.getpid())
    mine, theirs = await build(me), await build(replace(me, pid=1, started="0"))
    await build(me)
    swept = await runtime.sweep()
    assert f"superseded image {theirs.removeprefix('sha256:')[:12]}" in swept
    assert find_image(engine.client, theirs) is None
    assert find_image(engine.client, mine) is not None


async def test_every_container_names_its_owner(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = launch(prepared)
    instance = await runtime.start(asked, quiet)
    try:
        labels = engine.client.inspect_container(asked.instance)["Config"]["Labels"]
    finally:
        await instance.stop(0)
    assert f"|{os.getpid()}|" in labels[OWNER]
    assert labels["knlite.dev/revision"] == "hello-00001"


async def variant(
    engine: Engine, network: Network, codes: FunctionCodes, owner: Owner | None = None
) -> DockerRuntime:
    """The runtime as it would be in other surroundings than this machine's."""

    return DockerRuntime(
        engine,
        network=network,
        owner=owner or current_owner(os.getpid()),
        gateway_port=80,
        hosts=lambda: ["web.default.svc.cluster.local"],
        function_code=codes,
        threads=Threads("variant", 4),
    )


async def test_behind_a_virtual_machine_an_instance_is_reached_on_loopback(
    engine: Engine, prepared: Prepared, codes: FunctionCodes
) -> None:
    runtime = await variant(engine, Network("published", "bridge", HOST_GATEWAY), codes)
    instance = await runtime.start(launch(prepared), quiet)
    try:
        assert instance.address.host == "127.0.0.1"
        seen = await answer(instance.address)
    finally:
        await instance.stop(1)
    assert "web.default.svc.cluster.local" in str(seen["hosts"])
    assert HOST_GATEWAY not in str(seen["hosts"])


async def test_inside_a_container_instances_join_its_network(
    engine: Engine, prepared: Prepared, codes: FunctionCodes
) -> None:
    name = f"knlite-test-{uuid.uuid4().hex[:8]}"
    client = engine.client
    await asyncio.to_thread(client.create_network, name)
    try:
        bridge = await variant(engine, Network("bridge", name, "127.0.0.1"), codes)
        asked = launch(prepared)
        myself = await bridge.start(asked, quiet)
        try:
            network = find_network(client, remote_host=False, own=asked.instance)
            assert network == Network("joined", name, myself.address.host)
            runtime = await variant(engine, network, codes)
            instance = await runtime.start(launch(prepared), quiet)
            try:
                hosts = str((await answer(instance.address))["hosts"]).split()
            finally:
                await instance.stop(1)
        finally:
            await myself.stop(1)
    finally:
        await asyncio.to_thread(client.remove_network, name)
    assert hosts[hosts.index("web.default.svc.cluster.local") - 1] == myself.address.host


async def test_many_starts_at_once_all_answer(runtime: DockerRuntime, prepared: Prepared) -> None:
    async def one() -> None:
        instance = await runtime.start(launch(prepared), quiet)
        try:
            await answer(instance.address)
        finally:
            await instance.stop(1)

    with anyio.fail_after(2 * SECONDS):
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(one)
