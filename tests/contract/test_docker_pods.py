"""Pods of several containers, init containers and volumes, on a real engine.

Pins Knative reference §4.3 (files), §4.4 (sidecars, init containers, volumes), §1.6
(securityContext), §7.1 rows 19 to 28 (what the conformance suite looks for).
"""

import ast
from dataclasses import replace
from uuid import uuid4

import anyio
import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.function_image import FunctionCodes
from knlite.runtime.docker.owner import current_owner
from knlite.runtime.docker.runtime import DockerRuntime
from knlite.runtime.port import ContainerLaunch, Exit, Launch, Prepared
from knlite.serving.container import Limits, Mount, Security
from knlite.serving.volume import Claimed, EmptyDir, File, FileVolume
from tests.contract.test_docker_runtime import (
    SECONDS,
    Log,
    anyio_backend,
    codes,
    engine,
    folder,
    launch,
    prepared,
    quiet,
    runtime,
    variant,
)

__all__ = ["anyio_backend", "codes", "engine", "folder", "prepared", "runtime"]

pytestmark = pytest.mark.docker

FOREVER = "import time; time.sleep(600)"


def python(prepared: Prepared, name: str, program: str, **more: object) -> ContainerLaunch:
    """A container that runs *program*."""
    made = ContainerLaunch(name=name, prepared=prepared, command=("python3", "-S", "-c", program))
    return replace(made, **more)


def pod(prepared: Prepared, program: str = FOREVER, **parts: object) -> Launch:
    """An instance whose serving container runs *program*; fields of the launch or of that."""
    fields = {key: value for key, value in parts.items() if key in Launch.__slots__}
    rest = {key: value for key, value in parts.items() if key not in fields}
    command = ("python3", "-S", "-c", program)
    return launch(prepared, command=command, pod=fields, **rest)


async def ended(runtime: DockerRuntime, asked: Launch) -> tuple[Exit, dict[str, Log]]:
    """How *asked* ended by itself, and what each container wrote; nothing is left of it."""
    logs: dict[str, Log] = {}

    def log(container: str) -> Log:
        return logs.setdefault(container, Log())

    try:
        with anyio.fail_after(SECONDS):
            instance = await runtime.start(asked, log)
            try:
                return await instance.wait(), logs
            finally:
                await instance.stop(0)
    finally:
        await runtime.discard(asked.instance)


async def said(runtime: DockerRuntime, asked: Launch) -> object:
    """The value that the serving container printed before it ended well."""
    how, logs = await ended(runtime, asked)
    assert how.code == 0, logs["user-container"].lines
    return ast.literal_eval(logs["user-container"].lines[-1][1])


def left(engine: Engine, instance: str) -> list[str]:
    """What the engine still has of *instance*."""
    containers = engine.client.containers(all=True, filters={"name": instance})
    volumes = engine.client.volumes(filters={"name": instance})["Volumes"] or []
    return [*(str(each["Names"]) for each in containers), *(each["Name"] for each in volumes)]


async def test_containers_of_an_instance_meet_on_localhost_and_log_by_name(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    server = (
        "import os, socket, time\n"
        "s = socket.create_server(('127.0.0.1', 8882)); print('up', flush=True)\n"
        "c, _ = s.accept(); c.sendall(os.environ.get('PORT', 'no port').encode()); c.close()\n"
        "time.sleep(600)"
    )
    client = (
        "import socket, time\n"
        "while True:\n"
        "    try: c = socket.create_connection(('127.0.0.1', 8882)); break\n"
        "    except OSError: time.sleep(0.01)\n"
        "print(repr(c.recv(100).decode()), flush=True)"
    )
    asked = pod(prepared, client, sidecars=(python(prepared, "back", server),))
    how, logs = await ended(runtime, asked)
    assert how == Exit(0, "user-container")
    assert logs["user-container"].lines == [("stdout", "'no port'")]
    assert logs["back"].lines == [("stdout", "up")]
    assert left(engine, asked.instance) == []


async def test_an_instance_ends_with_the_first_of_its_containers(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    crash = "import sys; print('no database', file=sys.stderr); sys.exit(5)"
    asked = pod(prepared, sidecars=(python(prepared, "back", crash),))
    how, _ = await ended(runtime, asked)
    assert how == Exit(5, "back", message="no database")
    assert left(engine, asked.instance) == []


async def test_a_sidecar_that_cannot_be_started_takes_the_others_along(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    broken = python(prepared, "back", FOREVER, working_dir="/etc/passwd")
    asked = pod(prepared, sidecars=(broken,))
    with pytest.raises(InstanceFailed):
        await runtime.start(asked, quiet)
    assert left(engine, asked.instance) == []


async def test_init_containers_run_in_turn_before_the_others_and_not_again(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    mount = Mount(volume="work", path="/work")
    append = "import os; open('/work/log', 'a').write({!r})"
    asked = pod(
        prepared,
        "print(open('/work/log').read().split())",
        mounts=(mount,),
        volumes={"work": EmptyDir()},
        init=tuple(
            python(prepared, name, append.format(f"{name} "), mounts=(mount,))
            for name in ("one", "two")
        ),
    )
    try:
        for _ in range(2):
            log = Log()
            instance = await runtime.start(asked, lambda _, log=log: log)
            with anyio.fail_after(SECONDS):
                assert (await instance.wait()).code == 0
            await instance.stop(0)
            assert log.lines == [("stdout", "['one', 'two']")]
    finally:
        await runtime.discard(asked.instance)
    assert left(engine, asked.instance) == []


async def test_an_init_container_that_fails_is_tried_again_with_the_next_start(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    mount = Mount(volume="work", path="/work")
    second_time = (
        "import os, sys\n"
        "if os.path.exists('/work/tried'): sys.exit(0)\n"
        "open('/work/tried', 'w'); sys.exit('not yet')"
    )
    asked = pod(
        prepared,
        "print('served')",
        volumes={"work": EmptyDir()},
        init=(python(prepared, "migrate", second_time, mounts=(mount,)),),
    )
    with pytest.raises(InstanceFailed, match="migrate") as failed:
        await runtime.start(asked, quiet)
    assert failed.value.reason == "Init:Error"
    assert failed.value.cause == "not yet"
    assert (await ended(runtime, asked))[0].code == 0
    assert left(engine, asked.instance) == []


async def test_files_of_a_volume_have_their_modes_and_cannot_be_written(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    look = (
        "import os, stat\n"
        "def mode(p): return oct(stat.S_IMODE(os.stat(p).st_mode))\n"
        "try: open('/etc/app/new', 'w'); wrote = True\n"
        "except OSError: wrote = False\n"
        "print([open('/etc/app/key').read(), mode('/etc/app/key'),"
        " open('/etc/app/deep/er/x').read(), sorted(n for n in os.listdir('/etc/app')"
        " if n[0] != '.'), open('/one/file').read(), wrote])"
    )
    files = {"key": File("värde".encode(), 0o444), "deep/er/x": File(b"x", 0o644)}
    asked = pod(
        prepared,
        look,
        security=Security(user=1234),
        volumes={"config": FileVolume(files)},
        mounts=(
            Mount(volume="config", path="/etc/app"),
            Mount(volume="config", path="/one/file", sub_path="deep/er/x"),
        ),
    )
    assert await said(runtime, asked) == ["värde", "0o444", "x", ["deep", "key"], "x", False]


async def test_an_optional_source_that_is_missing_is_an_empty_folder(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = pod(
        prepared,
        "import os; print([n for n in os.listdir('/etc/none') if n[0] != '.'])",
        volumes={"none": FileVolume({})},
        mounts=(Mount(volume="none", path="/etc/none"),),
    )
    assert await said(runtime, asked) == []


@pytest.mark.parametrize(
    "content",
    [EmptyDir(), EmptyDir(in_memory=True, size_limit=100_000_000)],
    ids=["disk", "memory"],
)
async def test_an_empty_folder_is_everybodys(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared, content: EmptyDir
) -> None:
    write = (
        "import os, stat\n"
        "open('/data/a', 'w').write('x')\n"
        "print([open('/data/a').read(), oct(os.stat('/data').st_mode & 0o777),"
        " any(' /data tmpfs' in line for line in open('/proc/mounts'))])"
    )
    asked = pod(
        prepared,
        write,
        security=Security(user=1234, read_only_root=True),
        volumes={"data": content},
        mounts=(Mount(volume="data", path="/data"),),
    )
    assert await said(runtime, asked) == ["x", "0o777", content.in_memory]
    assert left(engine, asked.instance) == []


async def test_a_claimed_volume_outlives_the_instance_until_it_is_released(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    name = f"knlite.test.{uuid4().hex}"
    claimed = {"data": Claimed(name, "test/data")}
    mounts = (Mount(volume="data", path="/data"),)

    def writing(text: str) -> Launch:
        program = (
            "import os, stat\n"
            f"open('/data/a', 'a').write({text!r})\n"
            "print(oct(os.stat('/data').st_mode & 0o777))"
        )
        user = Security(user=1234)
        return pod(prepared, program, security=user, volumes=claimed, mounts=mounts)

    try:
        closing = pod(
            prepared,
            "import os; os.chmod('/data', 0o750); os.chown('/data', 1234, 0); print('1')",
            security=Security(user=0),
            volumes=claimed,
            mounts=mounts,
        )
        assert await said(runtime, writing("x")) == 0o777
        assert await said(runtime, closing) == 1
        assert await said(runtime, writing("y")) == 0o750
        read = pod(prepared, "print(repr(open('/data/a').read()))", volumes=claimed, mounts=mounts)
        assert await said(runtime, read) == "xy"
        running = await runtime.start(pod(prepared, volumes=claimed, mounts=mounts), quiet)
        assert not await runtime.release(name)
        await running.stop(0)
    finally:
        for instance in tuple(runtime._pods):
            await runtime.discard(instance)
        assert await runtime.release(name)
    assert await runtime.release(name)
    assert not engine.client.volumes(filters={"name": name})["Volumes"]


@pytest.mark.parametrize("content", [EmptyDir(), EmptyDir(in_memory=True)], ids=["disk", "memory"])
async def test_parts_of_an_empty_folder_are_seen_through_the_whole(
    runtime: DockerRuntime, prepared: Prepared, content: EmptyDir
) -> None:
    sidecar = python(
        prepared,
        "back",
        f"open('/part/f', 'w').write('from the sidecar'); {FOREVER}",
        mounts=(Mount(volume="data", path="/part", sub_path="a/b"),),
    )
    wait = (
        "import time\n"
        "while True:\n"
        "    try: text = open('/whole/a/b/f').read()\n"
        "    except OSError: text = ''\n"
        "    if text: break\n"
        "    time.sleep(0.01)\n"
        "print(repr(text))"
    )
    asked = pod(
        prepared,
        wait,
        volumes={"data": content},
        mounts=(Mount(volume="data", path="/whole"),),
        sidecars=(sidecar,),
    )
    assert await said(runtime, asked) == "from the sidecar"


async def test_edits_reach_running_volumes_but_not_parts_of_them(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    watch = (
        "import os, time\n"
        "print('started', flush=True)\n"
        "while open('/whole/key').read() != 'new': time.sleep(0.01)\n"
        "print([open('/part').read(), open('/whole/more').read(), sorted(os.listdir('/whole'))])"
    )
    asked = pod(
        prepared,
        watch,
        volumes={"config": FileVolume({"key": File(b"old")})},
        mounts=(
            Mount(volume="config", path="/whole"),
            Mount(volume="config", path="/part", sub_path="key"),
        ),
    )
    log = Log()
    instance = await runtime.start(asked, lambda _: log)
    try:
        new = FileVolume({"key": File(b"new"), "more": File(b"more")})
        await runtime.refresh(asked.instance, {"config": FileVolume({"key": File(b"newer")})})
        await runtime.refresh(asked.instance, {"config": new, "other": FileVolume({})})
        with anyio.fail_after(SECONDS):
            assert (await instance.wait()).code == 0, log.lines
    finally:
        await instance.stop(0)
        await runtime.discard(asked.instance)
    old, more, names = ast.literal_eval(log.lines[-1][1])
    assert (old, more) == ("old", "more")
    assert [name for name in names if not name.startswith("..")] == ["key", "more"]


async def test_a_cancelled_start_leaves_what_discard_removes(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared
) -> None:
    mount = Mount(volume="work", path="/work")
    for delay in (0, 0.02, 0.1, 0.3, 0.6):
        asked = pod(
            prepared,
            volumes={"work": EmptyDir()},
            mounts=(mount,),
            init=(python(prepared, "one", "pass", mounts=(mount,)),),
            sidecars=(python(prepared, "back", FOREVER),),
        )
        instance = None
        with anyio.move_on_after(delay):
            instance = await runtime.start(asked, quiet)
        if instance is not None:
            await instance.stop(0)
        await runtime.discard(asked.instance)
        assert left(engine, asked.instance) == [], delay


async def test_a_command_runs_in_the_container_of_its_name(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    asked = pod(prepared, sidecars=(python(prepared, "back", FOREVER, env={"WHO": "back"}),))
    instance = await runtime.start(asked, quiet)
    try:
        found = await instance.exec("back", ["sh", "-c", "echo I am $WHO; exit 3"], 10)
        assert (found.code, found.output) == (3, "I am back\n")
        assert (await instance.exec("user-container", ["no-such-program"], 10)).code != 0
        assert (await instance.exec("absent", ["true"], 10)).code != 0
        with anyio.fail_after(5):
            assert (await instance.exec("back", ["sleep", "20"], 0.3)).code is None
            closed = "exec >&- 2>&-; sleep {}; exit 4"
            late = await instance.exec("back", ["sh", "-c", closed.format(0.2)], 10)
            assert late.code == 4
            never = await instance.exec("back", ["sh", "-c", closed.format(20)], 0.3)
            assert never.code is None
        assert (await instance.exec("back", [], 10)).code not in (0, None)
        usage = await instance.usage()
        assert usage is not None
        assert usage.cpu_seconds > 0
        assert 1 << 20 < usage.memory_bytes < 1 << 30
    finally:
        await instance.stop(0)
    assert (await instance.exec("back", ["true"], 10)).code != 0
    assert await instance.usage() is None


async def test_last_words_are_read_from_where_the_manifest_says(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    program = "import sys; open('/tmp/why', 'w').write('the reason'); print('noise'); sys.exit(4)"
    how, _ = await ended(runtime, pod(prepared, program, termination_path="/tmp/why"))
    assert how.message == "the reason"
    for path in ("/tmp/no", "/"):
        silent = pod(prepared, program, termination_path=path, termination_from_log=False)
        assert (await ended(runtime, silent))[0].message == ""


async def test_a_program_sees_the_files_and_limits_of_the_contract(
    runtime: DockerRuntime, prepared: Prepared
) -> None:
    look = (
        "import os, stat, sys\n"
        "def read(*paths):\n"
        "    for p in paths:\n"
        "        if os.path.exists(p): return open(p).read().strip()\n"
        "at = '/sys/fs/cgroup/memory'\n"
        "memory = read(at + '.max', at + '/memory.limit_in_bytes')\n"
        "try: open(os.path.join('/sys/fs/cgroup', 'x'), 'w'); wrote = True\n"
        "except OSError: wrote = False\n"
        "print([sys.stdin.read(), os.path.exists('/dev/console'), os.path.islink('/dev/fd'),"
        " oct(os.stat('/etc/resolv.conf').st_mode & 0o777), int(memory), wrote,"
        " os.getuid(), os.getgid()])"
    )
    asked = pod(
        prepared,
        look,
        limits=Limits(cpus=1, memory=128 << 20, cpu_request=0.125),
        security=Security(user=2020, group=3030),
    )
    seen = await said(runtime, asked)
    assert seen == ["", False, True, "0o644", 128 << 20, False, 2020, 3030]


async def test_what_a_killed_knlite_leaves_of_a_pod_is_swept(
    engine: Engine, runtime: DockerRuntime, prepared: Prepared, codes: FunctionCodes
) -> None:
    asked = pod(
        prepared,
        volumes={"work": EmptyDir()},
        mounts=(Mount(volume="work", path="/work"),),
        sidecars=(python(prepared, "back", FOREVER),),
    )
    dead = await variant(engine, runtime.network, codes, replace(current_owner(1), started="0"))
    await dead.start(asked, quiet)
    assert len(left(engine, asked.instance)) == 4
    swept = await runtime.sweep()
    assert [word for word in swept if asked.instance in word]
    assert left(engine, asked.instance) == []
