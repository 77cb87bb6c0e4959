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
* ``reap``, PID: answered by ``reaped``, PID, exit code (-n when killed by signal n). Until then the
  number stays the instance's, so that nobody signals somebody else.

An instance is as one that was started from its file: a session of its own, its own environment,
folder and standard streams; what was written while modules were loaded comes first. The end of the
stream ends this process, not its instances.

Usage: ``python zygote.py DESCRIPTOR RUNNER MODULE…``. A MODULE that cannot be loaded is left to the
instances.
Differs from a start from the file: instances share the seed of ``hash()``, and what modules drew at
random while they were loaded; numpy's generator is seeded anew.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time

# What is imported here is there before the function's modules, so as little as possible.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROC = "/proc/self"
SAID_LIMIT = 64 * 1024
"""Bytes that loading may write to each stream and that instances repeat."""
WHOLE = "*"
"""Stands for all variables: a module has listed them."""


class Environ(type(os.environ)):  # type: ignore[misc]  # noqa: TID251
    """``os.environ`` that takes note of who reads what."""

    read: dict[str, str] = {}  # noqa: RUF012  There is one.
    loading = ""

    def __getitem__(self, name: str) -> str:
        Environ.read.setdefault(name, Environ.loading)
        return super().__getitem__(name)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        Environ.read.setdefault(WHOLE, Environ.loading)
        return super().__iter__()


class Unfit(Exception):
    """Instances cannot be forked from here."""


class Zygote:
    """What has been loaded, and what it takes to fork it."""

    def __init__(self, control: socket.socket, runner: str) -> None:
        self._control = control
        self._path = runner
        self.runner: Any = None
        self._kept: set[int] = set()
        self._descriptors: list[int] = []
        self._said = (b"", b"")
        self._told = dict(os.environ)  # noqa: TID251
        self._changed: dict[str, str | None] = {}

    def load(self, modules: list[str]) -> None:
        """Import the runner and *modules*. Raises ``Unfit``."""
        gc.disable()
        environ = os.environ  # noqa: TID251
        plain = type(environ)
        streams = [_capture(1), _capture(2)]
        self._kept = _open()
        environ.__class__ = Environ
        try:
            self.runner = __import__(os.path.basename(self._path).removesuffix(".py"))
            for module in modules:
                Environ.loading = module
                _import(module)
                self._check(module)
            if hasattr(self.runner, "warm"):
                Environ.loading = ""
                self.runner.warm()
                self._check("the runner")
        finally:
            environ.__class__ = plain
            self._said = (_said(*streams[0]), _said(*streams[1]))
        now = dict(environ)
        for name in now.keys() | self._told.keys():
            if now.get(name) != self._told.get(name):
                self._changed[name] = now.get(name)
        gc.collect()
        # Else the collector writes to every object, and no page of them would stay shared.
        gc.freeze()

    def _check(self, module: str) -> None:
        if len(os.listdir(f"{PROC}/task")) > 1:
            raise Unfit(f"{module} starts a thread when it is imported")
        if _has_children():
            raise Unfit(f"{module} starts a process when it is imported")
        for descriptor in sorted(_open() - self._kept):
            raise Unfit(f"{module} keeps {_target(descriptor)} open when it is imported")
        if WHOLE in Environ.read:
            raise Unfit(
                f"{Environ.read[WHOLE] or module} reads the whole environment when imported"
            )

    def serve(self) -> list[str]:
        """Fork as asked until the stream ends. In an instance: returns its arguments."""
        while True:
            verb, *fields = self._receive()
            if verb == "reap":
                self._reap(int(fields[0]))
                continue
            number, folder, count, *rest = fields
            arguments, env = rest[: int(count)], rest[int(count) :]
            why = self._refusal(folder, env)
            if why:
                self._send("refused", number, why)
            else:
                try:
                    pid = os.fork()
                except OSError as error:
                    self._send("refused", number, f"it cannot be forked: {error.strerror}")
                else:
                    if not pid:
                        self._become(folder, env)
                        return arguments
                    self._send("forked", number, str(pid))
            self._close()

    def _refusal(self, folder: str, env: list[str]) -> str:
        """Why an instance would not be as one that was started from its file; or empty."""
        wanted = dict(entry.partition("=")[::2] for entry in env)
        for name, module in Environ.read.items():
            if wanted.get(name) != self._told.get(name):
                return f"{module or 'the runner'} reads {name} when it is imported"
        try:
            names = os.listdir(folder)
        except OSError as error:
            return f"{folder}: {error.strerror}"
        for name in names:
            module = name.removesuffix(".py")
            if module in sys.modules and (
                name != module or os.path.exists(os.path.join(folder, name, "__init__.py"))
            ):
                return f"{os.path.join(folder, name)} takes the place of a module of that name"
        return ""

    def _become(self, folder: str, env: list[str]) -> None:
        """Be an instance, as soon as it is wanted."""
        stdout, stderr, go = self._descriptors
        os.setsid()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.close(stdout)
        os.close(stderr)
        self._control.close()
        os.chdir(folder)
        environ = os.environ  # noqa: TID251
        environ.clear()
        environ.update(entry.partition("=")[::2] for entry in env)
        for name, value in self._changed.items():
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
        for descriptor, said in zip((1, 2), self._said, strict=True):
            if said:
                os.write(descriptor, said)

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
        self._send("ready", *(f"{name}={module}" for name, module in Environ.read.items()))

    def leave(self, why: str) -> None:
        """It never will be."""
        self._send("unfit", why)
        os._exit(0)


def _import(name: str) -> None:
    """Import *name*, which may also be something that a module defines."""
    parent, _, last = name.rpartition(".")
    if parent and hasattr(sys.modules.get(parent), last):
        return
    try:
        __import__(name)
    except BaseException:  # noqa: BLE001
        return  # Whatever it is, the instances meet it too, and it belongs into their log.


def _capture(stream: int) -> tuple[int, int, int]:
    """Collect what is written to *stream*."""
    kept = os.dup(stream)
    held = os.memfd_create("said")
    os.dup2(held, stream)
    return stream, kept, held


def _said(stream: int, kept: int, held: int) -> bytes:
    """What has been collected; *stream* leads where it led before."""
    for each in (sys.stdout, sys.stderr):
        each.flush()
    os.dup2(kept, stream)
    os.close(kept)
    said = os.pread(held, SAID_LIMIT, 0)
    os.close(held)
    return said


def _open() -> set[int]:
    # Without the one by which they are listed, which is closed by now.
    listed = map(int, os.listdir(f"{PROC}/fd"))
    return {descriptor for descriptor in listed if _target(descriptor)}


def _target(descriptor: int) -> str:
    """What is open there; empty if nothing is."""
    try:
        return os.readlink(f"{PROC}/fd/{descriptor}")
    except OSError:
        return ""


def _has_children() -> bool:
    try:
        with open(f"{PROC}/task/{os.getpid()}/children") as children:
            return bool(children.read().strip())
    except OSError:
        return False


def main() -> None:
    """Load, serve; in an instance, run."""
    _, descriptor, runner, *modules = sys.argv
    control = socket.socket(fileno=int(descriptor))
    zygote = Zygote(control, runner)
    try:
        zygote.load(modules)
    except Unfit as why:
        zygote.leave(str(why))
    except Exception as error:  # noqa: BLE001  What it cannot do, an instance can try itself.
        zygote.leave(f"its parent cannot be made: {error!r}")
    zygote.tell()
    arguments = zygote.serve()
    sys.argv[:] = [runner, *arguments]
    # Kept: a module that nobody refers to loses its names.
    sys.modules["zygote"] = sys.modules["__main__"]
    sys.modules["__main__"] = zygote.runner
    zygote.runner.main(*arguments)


if __name__ == "__main__":
    main()
