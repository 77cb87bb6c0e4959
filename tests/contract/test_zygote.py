"""Programs that are forked from a zygote are as those that are spawned (``runtime/process``)."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import knlite.functions.runners
from knlite.errors import InstanceFailed
from knlite.functions.plan import Warm
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.runtime.process import zygote as zygote_module
from knlite.runtime.process import zygotes
from knlite.runtime.process.instance import ProcessInstance
from knlite.runtime.process.programs import Program
from knlite.runtime.process.runtime import ProcessRuntime
from knlite.serving.container import Security
from knlite.serving.workload import FunctionProject
from tests.contract.test_runtime import PATIENCE, Log, alive, answered, until

RUNNER = """
import os, signal, sys, time
def main(*arguments):
    print("main", *arguments, flush=True)
    what = os.environ.get("DO", "")
    if what == "tell":
        import threading
        print(os.getcwd(), os.getpid() == os.getsid(0), threading.active_count(), sys.argv[1:])
        print(sys.stdin.read() == "")
        print(sorted(name for name in os.environ if name.startswith("X_")))
        print(sys.modules["__main__"].__file__, sys.argv[0], file=sys.stderr)
    if what == "raise":
        raise KeyError("gone")
    if what.startswith("exit"):
        sys.exit(int(what[4:]))
    if what == "die":
        os.kill(os.getpid(), 9)
    if what == "child":
        import subprocess
        print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
    if what == "value":
        import reads
        print(reads.VALUE)
    if what == "stray":
        import subprocess
        print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid, flush=True)
    if what in ("wait", "child"):
        time.sleep(60)
if __name__ == "__main__":
    main(*sys.argv[1:])
"""
MODULES = {
    "plain": "import sys\nprint('loading', flush=True)\nprint('oh', file=sys.stderr)\n",
    "broken": "raise SystemExit(3)\n",
    "reads": "import os\nVALUE = os.environ.get('X_SETTING', 'none')\nos.environ['X_LEFT'] = '1'\n",
    "port": "import os\nPORT = os.environ['PORT'] if 'PORT' in os.environ else ''\n",
    "whole": "import os\nALL = dict(os.environ)\n",
    "thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    "opens": "import socket\nSOCKET = socket.socket()\n",
    "starts": "import subprocess\nCHILD = subprocess.Popen(['sleep', '1'])\n",
    "ends": "import os\nos._exit(3)\n",
    "hangs": "import time\ntime.sleep(60)\n",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


ANYBODY = Security()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zygote is waited for as long as a machine that is busy may take."""
    monkeypatch.setattr(zygote_module, "FORK_PATIENCE", PATIENCE)


@dataclass
class Stage:
    """A runtime, and a program of it that can be forked."""

    runtime: ProcessRuntime
    folder: Path
    runners: Path
    logs: dict[str, Log] = field(default_factory=dict)

    def program(self, *imports: str) -> Program:
        interpreter = (sys.executable, "-S")
        runner = self.runners / "runner.py"
        warm = Warm(
            interpreter=interpreter,
            runner=runner,
            arguments=("a", "b"),
            imports=imports,
            key=" ".join(imports),
        )
        words = (*interpreter, str(self.runners / "knlite_start.py"), "runner", "a", "b")
        return Program(words=words, folder=self.folder, origin=self.folder, warm=warm)

    async def start(
        self, program: Program, security: Security = ANYBODY, **env: str
    ) -> tuple[ProcessInstance, Log]:
        log = Log()
        serving = ContainerLaunch(name="c", prepared=_prepared(program), env=env, security=security)
        launch = Launch(
            namespace="n", service="s", revision="r", instance="i", port=80, serving=serving
        )
        return await self.runtime.start(launch, lambda _: log), log

    async def until_forked(
        self, program: Program, security: Security = ANYBODY, **env: str
    ) -> tuple[ProcessInstance, Log]:
        """An instance that was forked; those before it are stopped."""
        with anyio.fail_after(PATIENCE):
            while True:
                instance, log = await self.start(program, security, **env)
                if instance.origin == "forked":
                    return instance, log
                await instance.stop(1)

    async def why_spawned(self, program: Program, **env: str) -> str:
        """Why it is, once that is known."""
        with anyio.fail_after(PATIENCE):
            while True:
                instance, _ = await self.start(program, ANYBODY, **env)
                await instance.stop(0)
                if instance.origin != "spawned":
                    return instance.origin


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    runners, folder = tmp_path / "runners", tmp_path / "function"
    runners.mkdir()
    folder.mkdir()
    for name in ("zygote", "knlite_preloading", "knlite_start"):
        shutil.copy(Path(knlite.functions.runners.__path__[0]) / f"{name}.py", runners)
    (runners / "runner.py").write_text(RUNNER)
    for name, text in MODULES.items():
        (runners / f"{name}.py").write_text(text)
    async with _runtime(tmp_path / "cache") as runtime:
        yield Stage(runtime, folder, runners)


async def test_a_forked_program_is_as_a_spawned_one(stage: Stage) -> None:
    program = stage.program("broken", "missing", "json.dumps", "plain")
    spawned, log = await stage.start(program, DO="tell", X_MINE="1")
    assert spawned.origin == "spawned"
    assert (await spawned.wait()).code == 0
    forked, same = await stage.until_forked(program, DO="tell", X_MINE="1")
    assert (await forked.wait()).code == 0
    # What is printed while modules are loaded is there too: here only the zygote loads them.
    assert same.of("stdout") == ["loading", *log.of("stdout")]
    assert same.of("stderr") == ["oh", *log.of("stderr")]
    assert log.of("stdout")[0] == "main a b"
    assert log.of("stderr") == [f"{stage.runners / 'knlite_start.py'} runner"]


@pytest.mark.parametrize(
    ("do", "code"), [("", 0), ("exit7", 7), ("raise", 1), ("die", 137)], ids=str
)
async def test_its_exit_code_and_last_words_are_told(stage: Stage, do: str, code: int) -> None:
    forked, _ = await stage.until_forked(stage.program(), DO=do)
    how = await forked.wait()
    assert how.code == code
    if do == "raise":
        assert how.message.endswith("KeyError: 'gone'")
    assert await forked.usage() is None


async def test_stopping_ends_it_and_its_children(stage: Stage) -> None:
    forked, log = await stage.until_forked(stage.program(), DO="child")
    await until(lambda: len(log.lines) == 2)
    child = int(log.of("stdout")[1])
    assert alive(child)
    usage = await forked.usage()
    assert usage is not None
    assert usage.memory_bytes
    await forked.stop(5)
    assert (await forked.wait()).code == 128 + signal.SIGTERM
    assert not alive(child)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("thread", "thread starts a thread when it is imported"),
        ("starts", "starts starts a process when it is imported"),
        ("whole", "whole reads the whole environment when imported"),
        ("port", "reads PORT, which differs for each instance"),
        ("opens", "opens keeps socket:["),
    ],
)
async def test_what_cannot_be_forked_is_spawned_and_says_why(
    stage: Stage, module: str, why: str
) -> None:
    assert why in await stage.why_spawned(stage.program("json", module))


async def test_a_zygote_that_ends_while_it_loads_is_given_up(stage: Stage) -> None:
    program = stage.program("ends")
    await until_true(
        stage, program, lambda origin: origin == "spawned: its parent process ended with code 3"
    )


async def test_a_zygote_that_never_gets_ready_delays_nobody(stage: Stage) -> None:
    program = stage.program("hangs")
    for _ in range(3):
        instance, _ = await stage.start(program)
        assert instance.origin == "spawned"
        assert (await instance.wait()).code == 0


async def test_a_zygote_that_never_gets_ready_is_given_up_for_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygotes, "LOAD_PATIENCE", 0.3)
    why = await stage.why_spawned(stage.program("hangs"))
    assert why == "spawned: what it imports takes longer than 0.3 s to load"
    monkeypatch.undo()
    forked, _ = await stage.until_forked(stage.program())
    await forked.wait()


async def test_one_that_has_instances_is_kept_rather(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygotes, "COUNT", 2)
    busy, _ = await stage.until_forked(stage.program("plain"), DO="wait")
    for name in ("json", "reads", "uuid"):
        forked, _ = await stage.until_forked(stage.program(name))
        await forked.wait()
    assert set(stage.runtime.zygotes.sizes()) == {"plain", "uuid"}
    await busy.stop(5)
    assert (await busy.wait()).code == 128 + signal.SIGTERM


async def test_a_variable_that_is_read_while_loading_has_the_instances_value(
    stage: Stage,
) -> None:
    program = stage.program("reads")
    for value in ("one", "two", "one"):
        forked, log = await stage.until_forked(program, DO="value", X_SETTING=value)
        assert (await forked.wait()).code == 0
        assert log.of("stdout") == ["main a b", value]
    forked, log = await stage.until_forked(program, DO="value")
    await forked.wait()
    assert log.of("stdout") == ["main a b", "none"]
    forked, log = await stage.until_forked(program, DO="tell")
    await forked.wait()
    assert "['X_LEFT']" in log.of("stdout"), "what loading has set"


async def test_what_the_interpreter_reads_at_its_start_counts(stage: Stage) -> None:
    """Two spawned with the same seed agree; so do a spawned and a forked one."""
    (stage.runners / "runner.py").write_text("def main(*_): print(hash('x'))\n" + TAIL)
    spawned, log = await stage.start(stage.program(), PYTHONHASHSEED="7")
    await spawned.wait()
    forked, same = await stage.until_forked(stage.program(), PYTHONHASHSEED="7")
    await forked.wait()
    assert log.lines == same.lines


async def test_a_package_that_is_a_link_to_its_source_is_loaded_as_it_is_now(
    stage: Stage, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "linked.py").write_text("VALUE = 1\n")
    (stage.runners / "runner.py").write_text(
        "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), '../source'))\n"
        "def main(*_):\n    import linked; print(linked.VALUE)\n" + TAIL
    )
    program = stage.program("linked")
    for value in ("1", "22", "333", "4444", "55555"):
        (source / "linked.py").write_text(f"VALUE = {value}\n")
        for _ in range(2):
            spawned, log = await stage.start(program)
            await spawned.wait()
            assert log.of("stdout") == [value]
        forked, log = await stage.until_forked(program)
        await forked.wait()
        assert log.of("stdout") == [value]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process to another user")
async def test_what_another_user_runs_is_loaded_by_that_user(stage: Stage) -> None:
    (stage.runners / "ids.py").write_text("import os\nLOADED_BY = os.getgid()\n")
    (stage.runners / "runner.py").write_text(
        "import os\ndef main(*_):\n    import ids\n    print(os.getgid(), ids.LOADED_BY)\n" + TAIL
    )
    program = stage.program("ids")
    for group in (3030, os.getgid()):
        forked, log = await stage.until_forked(program, security=Security(group=group))
        await forked.wait()
        assert log.of("stdout") == [f"{group} {group}"]


@pytest.mark.parametrize(
    "env", [{"X_KEY": "hush\0LD_PRELOAD=x"}, {"TZ": "hush\0"}, {"X_KEY": "hush\ud800"}], ids=str
)
async def test_a_variable_that_no_program_can_be_given_is_refused(
    stage: Stage, env: dict[str, str]
) -> None:
    """A secret may hold any bytes; what comes after a zero byte must not become a variable."""
    forked, _ = await stage.until_forked(stage.program())
    await forked.wait()
    with pytest.raises(InstanceFailed, match=f"variable '{next(iter(env))}'") as failed:
        await stage.start(stage.program(), **env)
    assert "hush" not in str(failed.value)


async def test_a_start_without_free_descriptors_fails_and_the_next_one_does_not(
    stage: Stage,
) -> None:
    forked, _ = await stage.until_forked(stage.program())
    await forked.wait()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            with pytest.raises(InstanceFailed, match="cannot be started"):
                await stage.start(stage.program())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert highest
    again, _ = await stage.start(stage.program())
    assert again.origin == "forked"
    assert (await again.wait()).code == 0


@pytest.mark.parametrize("memory", [None, 0], ids=["forked", "spawned"])
async def test_what_leaves_its_group_holds_nothing_and_ends_with_the_run(
    stage: Stage, tmp_path: Path, memory: int | None
) -> None:
    async with _runtime(tmp_path / "other", memory=memory) as runtime:
        stage.runtime = runtime
        program = stage.program()
        if memory is None:
            await (await stage.until_forked(program))[0].wait()
        before = len(os.listdir("/proc/self/fd"))
        instance, log = await stage.start(program, DO="stray")
        with anyio.fail_after(PATIENCE):
            assert (await instance.wait()).code == 0
        stray = int(log.of("stdout")[-1])
        assert len(os.listdir("/proc/self/fd")) <= before + (memory == 0)  # The guard's.
        assert alive(stray)
    await until(lambda: not alive(stray))


async def test_a_frozen_one_goes_on_and_can_be_stopped(stage: Stage) -> None:
    forked, _ = await stage.until_forked(stage.program(), DO="wait")
    assert await forked.freeze()
    other, _ = await stage.start(stage.program(), DO="wait")
    assert other.origin == "forked"
    await other.stop(5)
    await forked.thaw()
    assert await forked.freeze()
    await forked.stop(5)
    assert (await forked.wait()).code == 128 + signal.SIGTERM


async def test_a_file_that_takes_the_place_of_a_loaded_module_is_heeded(stage: Stage) -> None:
    (stage.folder / "json.py").write_text("")
    why = await stage.why_spawned(stage.program("json"))
    assert why == f"spawned: {stage.folder / 'json.py'} takes the place of a module of that name"


async def test_what_instances_have_loaded_is_loaded_ahead_of_the_next_ones(stage: Stage) -> None:
    (stage.runners / "late.py").write_text("")
    (stage.runners / "package").mkdir()
    for name in ("__init__", "part"):
        (stage.runners / "package" / f"{name}.py").write_text("")
    (stage.runners / "package" / "thread.py").write_text(MODULES["thread"])
    (stage.folder / "queue.py").write_text("")
    (stage.runners / "runner.py").write_text(
        "import sys\ndef main(*_):\n    print(sorted(sys.modules.keys() & WANTED), flush=True)\n"
        "    sys.path.insert(0, '.')\n    import colorsys, late, package.part, queue\n"
        "    if 'thread' in sys.argv: import package.thread\n"
        "WANTED = {'colorsys', 'late', 'package.part', 'package.thread', 'queue'}\n" + TAIL
    )
    program = stage.program("package")
    said = set[str]()
    with anyio.fail_after(PATIENCE):
        # Not late, which belongs to no package that is loaded already, and not the function's own.
        while "['colorsys', 'package.part']" not in said:
            forked, log = await stage.until_forked(program)
            await forked.wait()
            said.update(log.of("stdout"))
    assert said == {"[]", "['colorsys', 'package.part']"}


async def test_all_are_heard_that_end_while_their_zygote_is_busy(stage: Stage) -> None:
    (stage.runners / "runner.py").write_text(
        "import os, signal, sys\ndef main(*_):\n"
        "    print(sorted(sys.modules.keys() & {'colorsys', 'netrc'}), flush=True)\n"
        "    if 'LOADS' not in os.environ: return\n"
        "    signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "    __import__(os.environ['LOADS'])\n"
        "    print('ready', flush=True)\n    signal.pause()\n" + TAIL
    )
    program = stage.program()
    first, _ = await stage.until_forked(program)
    await first.wait()
    names = ("colorsys", "netrc")
    waiting = []
    for name in names:
        forked, log = await stage.start(program, LOADS=name)
        assert forked.origin == "forked"
        await until(lambda log=log: "ready" in log.of("stdout"))
        waiting.append(forked)
    zygote = parent(waiting[0])
    os.kill(zygote, signal.SIGSTOP)
    for forked in waiting:
        os.kill(pid(forked), signal.SIGTERM)
        await until(lambda forked=forked: not alive(pid(forked)))
    os.kill(zygote, signal.SIGCONT)
    said = set[str]()
    with anyio.fail_after(PATIENCE):
        while str(sorted(names)) not in said:
            forked, log = await stage.until_forked(program)
            await forked.wait()
            said.update(log.of("stdout"))


async def test_one_that_hangs_while_it_learns_is_given_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage.runners / "package").mkdir()
    (stage.runners / "package" / "__init__.py").write_text("")
    # Not in its trial, which is in the zygote's group, and not in an instance.
    (stage.runners / "package" / "late.py").write_text(
        "import os, sys, time\n"
        "if 'zygote' in sys.argv[0] and os.getpid() == os.getpgrp(): time.sleep(60)\n"
    )
    (stage.runners / "runner.py").write_text(
        "import sys\ndef main(*_):\n    sys.path.insert(0, '.')\n    import package.late\n" + TAIL
    )
    program = stage.program("package")
    forked, _ = await stage.until_forked(program)
    # It counts from when it began to learn.
    monkeypatch.setattr(zygotes, "LOAD_PATIENCE", 2.0)
    await forked.wait()
    why = "spawned: what it imports takes longer than 2 s to load"
    await until_true(stage, program, lambda origin: origin == why)
    forked, _ = await stage.until_forked(stage.program("json"))
    await forked.wait()


async def test_what_would_do_harm_is_not_learned(stage: Stage) -> None:
    (stage.runners / "package").mkdir()
    (stage.runners / "package" / "__init__.py").write_text("")
    for name in ("thread", "port", "ends"):
        (stage.runners / "package" / f"{name}.py").write_text(MODULES[name])
    (stage.runners / "runner.py").write_text(
        "import os, sys\ndef main(*_):\n"
        "    if os.environ['LOADS'] != 'ends': __import__('package.' + os.environ['LOADS'])\n"
        "    else: sys.modules['package.ends'] = sys.modules['package']\n" + TAIL
    )
    program = stage.program("package")
    for name in ("thread", "port", "ends"):
        first, _ = await stage.until_forked(program, LOADS=name)
        await first.wait()
    forked, _ = await stage.until_forked(program, LOADS="port")
    zygote = parent(forked)
    await forked.wait()
    await until(lambda: not children(zygote))
    again, _ = await stage.start(program, LOADS="port")
    assert again.origin == "forked"
    assert parent(again) == zygote
    await again.wait()


async def test_an_instance_outlives_its_zygote_and_the_next_ones_get_another(
    stage: Stage,
) -> None:
    program = stage.program()
    forked, _ = await stage.until_forked(program, DO="wait")
    os.kill(parent(forked), signal.SIGKILL)
    await until(lambda: parent(forked) in (0, 1) or not _is_zygote(parent(forked)))
    assert alive(pid(forked))
    again, _ = await stage.until_forked(program, DO="wait")
    assert parent(again) != parent(forked)
    await again.stop(5)
    await forked.stop(5)
    assert (await forked.wait()).code == 255, "nobody knows it"
    assert not alive(pid(forked))


async def test_a_zygote_that_hangs_delays_a_start_by_little_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stage.program()
    first, _ = await stage.until_forked(program)
    await first.wait()
    forked, _ = await stage.until_forked(program, DO="wait")
    zygote = parent(forked)
    os.kill(zygote, signal.SIGSTOP)
    monkeypatch.setattr(zygote_module, "FORK_PATIENCE", 0.15)
    with anyio.fail_after(PATIENCE):
        for _ in range(2):
            instance, _ = await stage.start(program, DO="wait")
            assert instance.origin == "spawned: its parent process does not answer"
            await instance.stop(5)
    os.kill(zygote, signal.SIGCONT)
    monkeypatch.setattr(zygote_module, "FORK_PATIENCE", PATIENCE)
    again, _ = await stage.until_forked(program, DO="wait")
    assert parent(again) == zygote
    await again.stop(5)
    await forked.stop(5)
    await until(lambda: not children(zygote))


async def test_many_are_forked_at_once(stage: Stage) -> None:
    program = stage.program()
    first, _ = await stage.until_forked(program)
    await first.wait()
    origins: list[str] = []

    async def one() -> None:
        instance, log = await stage.start(program, X_MINE=str(len(origins)))
        assert (await instance.wait()).code == 0
        assert log.of("stdout") == ["main a b"]
        origins.append(instance.origin)

    async with anyio.create_task_group() as group:
        for _ in range(60):
            group.start_soon(one)
    assert origins == ["forked"] * 60


@pytest.mark.parametrize("steps", range(5))
async def test_a_start_that_is_cancelled_leaves_nothing(stage: Stage, steps: int) -> None:
    program = stage.program()
    forked, _ = await stage.until_forked(program, DO="wait")
    zygote = parent(forked)
    async with anyio.create_task_group() as group:
        started: list[ProcessInstance] = []

        async def start() -> None:
            started.append((await stage.start(program, DO="wait"))[0])

        group.start_soon(start)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    for instance in started:
        await instance.stop(5)
    await forked.stop(5)
    await until(lambda: not children(zygote))


async def test_zygotes_hold_as_much_memory_as_they_may(stage: Stage, tmp_path: Path) -> None:
    async with _runtime(tmp_path / "other", memory=1 << 18) as runtime:
        stage.runtime = runtime
        why = await stage.why_spawned(stage.program())
        assert why == "spawned: its parent process would hold more memory than it may"
        assert not runtime.zygotes.sizes()
    async with _runtime(tmp_path / "none", memory=0) as runtime:
        stage.runtime = runtime
        assert "--memory 0" in await stage.why_spawned(stage.program())


async def test_the_end_of_the_runtime_ends_zygotes(stage: Stage) -> None:
    forked, _ = await stage.until_forked(stage.program(), DO="wait")
    zygote = parent(forked)
    assert stage.runtime.zygotes.sizes()[""] > 1 << 18
    await forked.stop(5)
    await stage.runtime.aclose()
    assert not alive(zygote)


OWNER = """
import os, sys
from pathlib import Path
import anyio
from knlite.runtime.port import ContainerLaunch, Launch
from knlite.runtime.process.runtime import ProcessRuntime
from knlite.serving.workload import FunctionProject

async def run():
    runtime = ProcessRuntime(
        gateway_port=1, cache_dir=Path(sys.argv[2]), owner="crash", environ=dict(os.environ))
    project = FunctionProject(folder=sys.argv[1], name="f", language="python", image="")
    prepared = await runtime.prepare(project, print)
    serving = ContainerLaunch(name="c", prepared=prepared)
    launch = Launch(
        namespace="n", service="s", revision="r", instance="i", port=1, serving=serving)
    while True:
        instance = await runtime.start(launch, lambda name: lambda stream, line: None)
        if instance.origin == "forked":
            break
        await instance.stop(0)
    child = int(instance.label.split()[1])
    stat = Path(f"/proc/{child}/stat").read_text()
    zygote = int(stat.rpartition(")")[2].split()[1])
    if "unguarded" in sys.argv:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        for each in children:
            if int(each) != zygote: os.kill(int(each), 9)
    print(child, zygote, flush=True)
    await instance.wait()

anyio.run(run)
"""


@pytest.mark.parametrize("words", [(), ("unguarded",)], ids=["guarded", "swept"])
async def test_kill_9_of_the_owner_leaves_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "func.py").write_text("def main(context):\n    return 'hello', 200\n")
    owner = subprocess.Popen(  # noqa: ASYNC220  It is started at once.
        [sys.executable, "-c", OWNER, str(tmp_path), str(tmp_path / ".cache"), *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        child, zygote = map(int, owner.stdout.readline().split())
    assert alive(child)
    assert alive(zygote)
    owner.kill()
    owner.wait()
    await until(lambda: not alive(zygote))
    if words:
        async with _runtime(tmp_path / ".cache") as runtime:
            assert [word for word in await runtime.sweep() if f"process {child} " in word]
    await until(lambda: not alive(child))


async def test_a_function_is_forked(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(
        "import os\ndef main(context):\n    print('called')\n    return os.environ['WHO'], 200\n"
    )
    project = FunctionProject(
        folder=str(tmp_path), name="f", language="python", image="", envs={"WHO": "me"}
    )
    async with _runtime(tmp_path / ".cache") as runtime:
        prepared = await runtime.prepare(project, lambda *_: None)
        stage = Stage(runtime, tmp_path, tmp_path)
        assert isinstance(prepared.handle, Program)
        forked, log = await stage.until_forked(prepared.handle)
        assert (await answered(forked)).endswith(b"me")
        await forked.stop(5)
        assert (await forked.wait()).code == 0
        assert [text.rpartition("\x1e")[2] for text in log.of("stdout")] == ["called"]


CHILDREN = """
import multiprocessing, os, signal, time

def square(number):
    return number * number

def main(context):
    how = context.request.args["how"]
    if how != "kill":
        with multiprocessing.get_context(how).Pool(1) as pool:
            return str(pool.map(square, [3]))
    here, there = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(5)
        os.write(there, b"1")
        time.sleep(60)
        os._exit(0)
    os.read(here, 1)
    os.kill(child, signal.SIGTERM)
    return str(os.waitpid(child, 0)[1])
"""
IN_ASGI = """
class Request: pass

async def handle(scope, receive, send):
    context = Request()
    context.request = Request()
    context.request.args = {"how": scope["path"].strip("/")}
    body = main(context).encode()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.mark.parametrize("memory", [None, 0], ids=["forked", "spawned"])
@pytest.mark.parametrize("style", ["parliament", "func"])
async def test_processes_that_a_function_starts_are_its_own(
    tmp_path: Path, style: str, memory: int | None
) -> None:
    code = CHILDREN
    if style == "func":
        code = CHILDREN.replace("def main", "def work") + IN_ASGI.replace("main(", "work(")
    (tmp_path / "func.py").write_text(code)
    project = FunctionProject(folder=str(tmp_path), name="f", language="python", image="")
    async with _runtime(tmp_path / ".cache", memory) as runtime:
        prepared = await runtime.prepare(project, lambda *_: None)
        stage = Stage(runtime, tmp_path, tmp_path)
        assert isinstance(prepared.handle, Program)
        start = stage.until_forked if memory is None else stage.start
        instance, _ = await start(prepared.handle)
        for how, said in (("kill", b"15"), ("spawn", b"[9]"), ("forkserver", b"[9]")):
            path = f"/{how}" if style == "func" else f"/?how={how}"
            assert (await answered(instance, path)).endswith(said)
        await instance.stop(5)
        assert (await instance.wait()).code == 0


TAIL = "import sys\nif __name__ == '__main__': main(*sys.argv[1:])\n"


@asynccontextmanager
async def _runtime(cache: Path, memory: int | None = None) -> AsyncIterator[ProcessRuntime]:
    runtime = ProcessRuntime(
        gateway_port=8080,
        cache_dir=cache,
        owner="test",
        environ=dict(os.environ),
        memory=memory,
    )
    try:
        yield runtime
    finally:
        await runtime.aclose()


def _prepared(program: Program) -> Prepared:
    return Prepared(program, "")


async def until_true(stage: Stage, program: Program, holds: Callable[[str], bool]) -> None:
    with anyio.fail_after(PATIENCE):
        while True:
            instance, _ = await stage.start(program)
            await instance.wait()
            if holds(instance.origin):
                return


def pid(instance: ProcessInstance) -> int:
    return int(instance.label.split()[1])


def parent(instance: ProcessInstance) -> int:
    return int(Path(f"/proc/{pid(instance)}/stat").read_text().rpartition(")")[2].split()[1])


def children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def _is_zygote(process: int) -> bool:
    try:
        return b"zygote.py" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
