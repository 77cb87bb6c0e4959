"""Loads a function's module and says in one sentence why that is not possible.

Both runners use it, inside the instance, so it needs the standard library only and loads little of
it. A function may run from a copy of its folder: ``KNLITE_ORIGIN`` is the folder that people know,
and tracebacks, errors and warnings name its files. The sentence why a function cannot start is
marked, where marks are wanted, so that it becomes the instance's last words.

Not here: serving (the runners); marks of requests (``knlite_streams.py``).
"""

from __future__ import annotations

import builtins
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, ModuleType, TracebackType
    from typing import Any, NoReturn

    from knlite.functions.runners.knlite_streams import Streams

VERDICT = "\x1e!\x1e"
PATIENCE = 5.0
"""Seconds that loading a function may take before it is said where it stands; and between two
such sentences."""

_COROUTINE = 0x80
"""``inspect.CO_COROUTINE``, whose module takes as long to load as all else here."""
_OWN = os.path.dirname(os.path.abspath(__file__))


class Function:
    """The function's folder, and what is loaded from it."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)
        self.origin = told("KNLITE_ORIGIN") or self.folder
        self.debug = told("KNLITE_DEBUG") == "1"
        self.file = self.origin
        """The module, once it is loaded."""
        self._marked = told("KNLITE_LOG_MARKS") == "1"
        self._sources: dict[str, str] = {}
        """Files as people know them, to those that were read."""

    def streams(self) -> Streams | None:
        """Make output come line by line; if lines are to be marked, what marks them."""
        if self._marked:
            import knlite_streams  # type: ignore[import-not-found]

            made: Streams = knlite_streams.Streams()
            return made
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True, write_through=False)  # type: ignore[union-attr]
        return None

    def load(self, name: str) -> ModuleType:
        """Import the module *name* of the folder; ends the program if it cannot be."""
        # The runner's own folder came first, and a function's modules may have its files' names.
        sys.path[:] = [place for place in sys.path if place != _OWN]
        sys.path.insert(0, self.folder)
        if self.origin != self.folder:
            self._name_files_as_people_know_them()
        # What the module site defines, which is not loaded where there are no packages.
        for word in ("exit", "quit"):
            vars(builtins).setdefault(word, sys.exit)
        with _Watch(self, "being imported"):
            try:
                module = __import__(name)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  Any of them is the end, and is told.
                self.refuse(error)
        self.file = self.shown(module.__file__ or self.folder)
        return module

    def handler(self, module: ModuleType, name: str, example: str) -> Any:
        """What *module* calls *name*; ends the program if that is nothing to call."""
        file = self.file
        if not hasattr(module, name):
            self.end(f"{file} does not define {name}", f"define it, for example: {example}")
        found = getattr(module, name)
        if not callable(found):
            self.end(
                f"{name} in {file} is {a(found)}, not a function",
                f"define it, for example: {example}",
            )
        return found

    def call(self, what: str, hook: Any, *arguments: Any) -> Any:
        """What *hook*, the function's ``new`` or ``start``, returns; its error ends the program."""
        with _Watch(self, f"in {what}()"):
            try:
                return hook(*arguments)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  Any of them is the end, and is told.
                self.refuse(error, f" in {what}()")

    def end(self, what: str, fix: str = "", code: int = 1) -> NoReturn:
        """End the program, as *what* is wrong; without a *fix* where *what* says it all."""
        mark = VERDICT if self._marked else ""
        remedy = f"{mark}  fix:   {fix}\n" if fix else ""
        sys.stderr.write(f"{mark}{what}\n{remedy}")
        raise SystemExit(code)

    def refuse(self, error: BaseException, where: str = " while it was imported") -> NoReturn:
        """End the program, as *error* was raised before the function could serve."""
        place = self.place(error) or self.origin
        name = type(error).__name__
        if isinstance(error, SyntaxError):
            file, line = self.shown(error.filename or self.origin), error.lineno
            error.filename = file
            sys.stderr.write(self.traceback(error))
            self.end(f"{file} line {line} is not valid Python: {error.msg}")
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) and error.code else 1
            said = f": {error.code}" if isinstance(error.code, str) else ""
            self.end(
                f"{place} ended the program (sys.exit){where}{said}",
                "let the module define its handler and return; nothing there may end the program",
                code,
            )
        sys.stderr.write(self.traceback(error))
        missing = getattr(error, "name", None) or ""
        if isinstance(error, ModuleNotFoundError) and missing:
            self.end(
                f"{place} imports {missing}, which is not installed",
                f"add its package to {self.origin}/requirements.txt or to the dependencies of"
                f" {self.origin}/pyproject.toml",
            )
        self.end(f"{place} raised {name}{where}: {error}")

    def shown(self, path: str) -> str:
        """*path* as people know it."""
        if path == self.folder or path.startswith(self.folder + os.sep):
            return self.origin + path[len(self.folder) :]
        return path

    def own(self, file: str) -> bool:
        """Whether *file*, as code calls it, is the function's."""
        return file.startswith((self.origin + os.sep, self.folder + os.sep))

    def traceback(self, error: BaseException) -> str:
        """The traceback of *error*, without the runner's own frames."""
        import linecache
        import traceback

        for shown, read in self._sources.items():
            # What ran, not what the file holds by now.
            lines = linecache.getlines(read)
            linecache.cache[shown] = (sum(map(len, lines)), None, lines, shown)
        return "".join(traceback.format_exception(type(error), error, self._trimmed(error)))

    def raised(self, error: BaseException) -> bytes:
        """Print the traceback of *error*; gives it where answers may hold it, else nothing."""
        text = self.traceback(error)
        sys.stderr.write(text)
        return text.encode("utf-8", "replace") if self.debug else b""

    def place(self, error: BaseException) -> str:
        """``FILE line N`` of the last of the function's own lines that *error* passed."""
        found, last = "", error.__traceback__
        while last is not None:
            code = last.tb_frame.f_code
            if self.own(code.co_filename):
                found = f"{self.shown(code.co_filename)} line {last.tb_lineno}"
            last = last.tb_next
        return found

    def _trimmed(self, error: BaseException) -> TracebackType | None:
        trace = whole = error.__traceback__
        while trace is not None and _leads_to_it(trace):
            trace = trace.tb_next
        last = trace
        while last is not None:
            rest = last.tb_next
            while rest is not None and _leads_to_it(rest):
                rest = rest.tb_next
            # From one of the function's imports to the next, or to the end of a SyntaxError.
            if rest is not None or isinstance(error, SyntaxError):
                last.tb_next = rest
            last = last.tb_next
        # A SyntaxError may have no frame of the function's, and says itself where it is.
        return trace if trace is not None or isinstance(error, SyntaxError) else whole

    def _name_files_as_people_know_them(self) -> None:
        """Have code know the files of the user's folder, not those of the copy that is run.

        Compiled code is cached beside the copy as usual.
        """
        import _frozen_importlib_external as external
        import _imp

        function, folder = self, self.folder

        class Loader(external.SourceFileLoader):
            def get_code(self, name: str) -> CodeType | None:
                """The module's code, under the name of the user's file."""
                code: CodeType | None = super().get_code(name)
                if code is not None:
                    read = self.get_filename(name)
                    shown = function.shown(read)
                    function._sources[shown] = read
                    _imp._fix_co_filename(code, shown)  # type: ignore[attr-defined]
                return code

        loaders = [
            (Loader, suffixes) if loader is external.SourceFileLoader else (loader, suffixes)
            for loader, suffixes in external._get_supported_file_loaders()  # type: ignore[attr-defined]
        ]
        hook = external.FileFinder.path_hook(*loaders)

        def find(path: str) -> Any:
            if path == folder or path.startswith(folder + os.sep):
                return hook(path)
            raise ImportError

        sys.path_hooks.insert(0, find)
        for path in [*sys.path_importer_cache]:
            if path == folder or path.startswith(folder + os.sep):
                del sys.path_importer_cache[path]


class _Watch:
    """Says where the function stands when what it does takes long.

    By a signal, so that no thread exists while a function is loaded.
    """

    def __init__(self, function: Function, doing: str) -> None:
        self._function = function
        self._doing = doing
        self._waited = 0.0

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._tell)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE * 6)

    def __exit__(self, *_: object) -> None:
        # It may have taken the signal for a use of its own.
        if signal.getsignal(signal.SIGALRM) == self._tell:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._waited += PATIENCE if not self._waited else PATIENCE * 6
        while frame is not None and not self._function.own(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return
        import linecache

        file, line = self._function.shown(frame.f_code.co_filename), frame.f_lineno
        text = linecache.getline(self._function._sources.get(file, file), line).strip()
        sys.stderr.write(
            f"the function is still {self._doing} after {self._waited:g} s: it stands at {file}"
            f" line {line}: {text}\n"
            "  fix:   do there only what is quick, and the rest when the first request comes\n"
        )


def _leads_to_it(trace: TracebackType) -> bool:
    """Whether it is a step of the runner's, or of the import system's."""
    file = trace.tb_frame.f_code.co_filename
    return os.path.dirname(file) == _OWN or file.startswith("<frozen importlib")


def free_children() -> None:
    """Have SIGTERM and SIGINT mean to processes forked from here what they mean to any other.

    What this program does with them is not theirs; and what an event loop is told of signals goes
    through a socket that a child would share. ``multiprocessing`` ends its workers by SIGTERM.
    """

    def forked() -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    os.register_at_fork(after_in_child=forked)


def a(value: object) -> str:
    """The type of *value*, with its article."""
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def host() -> str:
    """Loopback where the runtime asks for it, every address where it does not: in a container."""
    asked = told("LISTEN_ADDRESS")
    return "127.0.0.1" if asked.startswith("127.0.0.1:") else "0.0.0.0"


def told(name: str) -> str:
    """An environment variable."""
    return os.environ.get(name, "")  # noqa: TID251


def is_async(handler: Any) -> bool:
    """Whether calling *handler* gives something to wait for, as far as one can see."""
    inner = getattr(handler, "__func__", handler)
    code = getattr(inner, "__code__", None)
    if code is None:
        code = getattr(vars(type(handler)).get("__call__"), "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)


def is_awaitable(value: object) -> bool:
    """Whether *value* has to be waited for."""
    return hasattr(value, "__await__")
