"""Loads what a function imports, once, and forks instances of it that have it loaded already.

Runs with the function's interpreter, so it may use the standard library only. It is told by
messages on a stream socket, and answers there; all are a length (4 bytes, big-endian) and fields
with a zero byte between them:

* ``ready``, then ``NAME=MODULE`` for each environment variable that MODULE read while it was
  loaded; or ``unfit`` and why. Once, without being asked.
* ``fork``, ID, folder, the number of arguments, the arguments, ``NAME=VALUE``…, with three
  descriptors: the instance's stdout and stderr, and a pipe. Answered by ``forked``, ID, PID or by
  ``refused``, ID, why. The instance begins when a byte comes through the pipe, and ends when the
  pipe is closed before that: whoever asked may have stopped to wait for it.
  Or by ``stale``: a file has changed that was loaded from neither the environment nor the standard
  library (of a package that is installed as a link to its source), so there will be no more forks.
* ``reap``, PID: answered by ``reaped``, PID, exit code (-n when killed by signal n). Until then the
  number stays the instance's, so that nobody signals somebody else.

What an instance has loaded when it ends in good order, besides the function's own modules, is
loaded here too, if a copy of this process can do so without harm: the first request of the next
instance needs it as well. ``learning`` is sent before that, ``ready`` after it.

An instance is as one that was started from its file: a session of its own, its own environment,
folder and standard streams; what was written while modules were loaded comes first. The end of the
stream ends this process, not its instances.

Not here: loading (``knlite_preloading.py``).
Usage: ``python zygote.py DESCRIPTOR RUNNER MODULE…``. A MODULE that cannot be loaded is left to the
instances.
Differs from a start from the file: instances share the seed of ``hash()``, and what modules drew at
random while they were loaded; numpy's generator is seeded anew.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time

import knlite_preloading as preloading  # type: ignore[import-not-found]

# What is imported here is there before the function's modules, so as little as possible.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LESSON_LIMIT = 4096
"""Bytes; what loads more than that has much of its own."""
TRIAL_SECONDS = 10
START = "knlite_start.py"
PER_INSTANCE = ("PORT", "LISTEN_ADDRESS", "FUNC_PORT")


class Zygote:
    """What has been loaded, and what it takes to fork it."""

    def __init__(self, control: socket.socket, runner: str) -> None:
        self._control = control
        self._path = runner
        self.runner: Any = None
        self._modules = preloading.Modules()
        self._descriptors: list[int] = []
        # Datagrams: a lesson is read whole and alone, however many have come.
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lessons = pair[0].detach(), pair[1].detach()
        os.set_blocking(self._lessons[1], False)
        self._socket = os.fstat(self._lessons[1]).st_ino
        self._tried: set[str] = set()

    def load(self, modules: list[str]) -> None:
        """Load the runner and *modules*. Raises ``Unfit``."""
        self.runner = self._modules.load(modules, os.path.basename(self._path).removesuffix(".py"))

    def serve(self) -> list[str]:
        """Fork as asked until the stream ends. In an instance: returns its arguments."""
        trial: tuple[int, int, list[str]] | None = None
        while True:
            waiting: list[Any] = [self._control, self._lessons[0] if trial is None else trial[0]]
            ready, _, _ = select.select(waiting, (), ())
            if self._control not in ready:
                if trial is None:
                    trial = self._try()
                else:
                    self._learn(*trial)
                    trial = None
                continue
            verb, *fields = self._receive()
            if verb == "reap":
                self._reap(int(fields[0]))
                continue
            number, folder, count, *rest = fields
            arguments, env = rest[: int(count)], rest[int(count) :]
            why = self._refusal(folder, env)
            if self._modules.has_changed():
                self._send("stale")
            elif why:
                self._send("refused", number, why)
            else:
                try:
                    pid = os.fork()
                except OSError as error:
                    self._send("refused", number, f"it cannot be forked: {error.strerror}")
                else:
                    if not pid:
                        self._become(number, folder, env)
                        return arguments
            self._close()

    def _refusal(self, folder: str, env: list[str]) -> str:
        """Why an instance would not be as one that was started from its file; or empty."""
        wanted = dict(entry.partition("=")[::2] for entry in env)
        for name, module in self._modules.read.items():
            if wanted.get(name) != self._modules.told.get(name):
                return f"{module or 'the runner'} reads {name} when it is imported"
        try:
            names = os.listdir(folder)
        except OSError as error:
            return f"{folder}: {error.strerror}"
        for name in names:
            module = name.removesuffix(".py")
            if (
                module != "__main__"
                and module in sys.modules
                and (name != module or os.path.exists(os.path.join(folder, name, "__init__.py")))
            ):
                return f"{os.path.join(folder, name)} takes the place of a module of that name"
        return ""

    def _become(self, number: str, folder: str, env: list[str]) -> None:
        """Be an instance, as soon as it is wanted."""
        stdout, stderr, go = self._descriptors
        os.setsid()
        # Not told by the zygote, which does not know when there is a group to send signals to.
        self._send("forked", number, str(os.getpid()))
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.close(stdout)
        os.close(stderr)
        os.close(self._lessons[0])
        self._control.close()
        os.chdir(folder)
        environ = os.environ  # noqa: TID251
        environ.clear()
        environ.update(entry.partition("=")[::2] for entry in env)
        for name, value in self._modules.changed.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
        time.tzset()
        numpy = sys.modules.get("numpy.random")
        if numpy is not None:
            numpy.seed()
        gc.enable()
        begins = os.read(go, 1)
        os.close(go)
        if not begins:
            os._exit(0)
        for descriptor, said in zip((1, 2), self._modules.said, strict=True):
            if said:
                os.write(descriptor, said)

    def teach(self) -> None:
        """In an instance that ends: tell what it has loaded since it began."""
        own = os.getcwd() + os.sep
        names = []
        for name, module in [*sys.modules.items()]:
            top = name.partition(".")[0]
            file = getattr(module, "__file__", None) or ""
            if (
                name not in self._modules.loaded
                and (top in self._modules.loaded or top in sys.stdlib_module_names)
                and getattr(module, "__spec__", None) is not None
                and not file.startswith((own, sys.path[0] + os.sep))
            ):
                names.append(name)
        lesson = b"\0".join(map(os.fsencode, names))
        if not names or len(lesson) > LESSON_LIMIT:
            return
        try:
            # The function may have closed what it does not know of.
            if os.fstat(self._lessons[1]).st_ino == self._socket:
                os.write(self._lessons[1], lesson)
        except OSError:
            return  # The zygote has ended, or has much to learn already.

    def _try(self) -> tuple[int, int, list[str]] | None:
        """Have a copy of this process load what an instance had loaded."""
        lesson = os.read(self._lessons[0], LESSON_LIMIT)
        names = [name for name in map(os.fsdecode, lesson.split(b"\0")) if name not in self._tried]
        self._tried.update(names)
        if not names:
            return None
        try:
            pid = os.fork()
        except OSError:
            return None
        if pid:
            return os.pidfd_open(pid), pid, names
        code = 1
        try:
            signal.alarm(TRIAL_SECONDS)
            self._modules.load(names)
            code = int(any(name in self._modules.read for name in PER_INSTANCE))
        finally:
            os._exit(code)

    def _learn(self, descriptor: int, pid: int, names: list[str]) -> None:
        """The copy has ended: load the same here if that did no harm."""
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        if status == 0:
            self._send("learning")
            self._modules.load(names)
            self.tell()

    def _reap(self, pid: int) -> None:
        try:
            _, status = os.waitpid(pid, 0)
            code = str(os.waitstatus_to_exitcode(status))
        except ChildProcessError:
            code = ""
        self._send("reaped", str(pid), code)

    def _receive(self) -> list[str]:
        """The next message; at the end of the stream it leaves."""
        data, self._descriptors, _, _ = socket.recv_fds(self._control, 4, 3)
        size = int.from_bytes(self._rest(data, 4), "big")
        return [os.fsdecode(field) for field in self._rest(b"", size).split(b"\0")]

    def _rest(self, data: bytes, size: int) -> bytes:
        while len(data) < size:
            more = self._control.recv(size - len(data))
            if not more:
                os._exit(0)
            data += more
        return data

    def _close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []

    def _send(self, *fields: str) -> None:
        message = b"\0".join(map(os.fsencode, fields))
        try:
            self._control.sendall(len(message).to_bytes(4, "big") + message)
        except OSError:
            os._exit(0)

    def tell(self) -> None:
        """It is ready."""
        self._send("ready", *(f"{name}={module}" for name, module in self._modules.read.items()))

    def leave(self, why: str) -> None:
        """It never will be."""
        self._send("unfit", why)
        os._exit(0)


def _main_of(folder: str) -> Any:
    """What a start from the file has as its main module, which multiprocessing loads anew."""
    made = type(sys)("__main__")
    made.__file__ = os.path.join(folder, START)
    return made


def main() -> None:
    """Load, serve; in an instance, run."""
    _, descriptor, runner, *modules = sys.argv
    control = socket.socket(fileno=int(descriptor))
    zygote = Zygote(control, runner)
    try:
        zygote.load(modules)
    except preloading.Unfit as why:
        zygote.leave(str(why))
    except Exception as error:  # noqa: BLE001  What it cannot do, an instance can try itself.
        zygote.leave(f"its parent cannot be made: {error!r}")
    zygote.tell()
    arguments = zygote.serve()
    sys.argv[:] = [os.path.basename(runner).removesuffix(".py"), *arguments]
    # Kept: a module that nobody refers to loses its names.
    sys.modules["zygote"] = sys.modules["__main__"]
    sys.modules["__main__"] = _main_of(os.path.dirname(runner))
    zygote.runner.main(*arguments)
    zygote.teach()


if __name__ == "__main__":
    main()
