r"""Standard output and error that say which request wrote a line.

Each line that is written while a request is handled begins with ``\x1eREQUEST-ID\x1e``. A line goes
out whole and at once, with one system call, so the lines of threads and tasks never mix; what has
no line end yet waits for it, or for the end of its request, its thread or the program. Threads
that a request starts, and what it gives to a pool of threads, count as part of it.

Differs: a flush does not write half a line, since the reader could not tell whose other half comes
next. What other programs write to the same files, a child process for instance, has no mark.

Not here: reading the marks (``functions/logmark.py``).
"""

from __future__ import annotations

import io
import os
import sys
import threading
from contextvars import ContextVar, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK = b"\x1e"
ID_LIMIT = 128
WAITING_LIMIT = 256 * 1024
"""Bytes that may wait for their line end."""
POOLS = "concurrent.futures.thread"

_get_ident = threading.get_ident


class Mark:
    """Who writes: a request, or whoever runs outside of one."""

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix
        self.waiting: dict[tuple[int, int], bytes] = {}
        """By file and thread: what has no line end yet."""


OUTSIDE = Mark(b"")

_current: ContextVar[Mark] = ContextVar("knlite_request", default=OUTSIDE)


class Stream(io.BufferedIOBase):
    """One of the two files, as bytes."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.name = "<stderr>" if descriptor == 2 else "<stdout>"
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._owner = True
        os.register_at_fork(after_in_child=self._forked)

    def write(self, data: Any) -> int:
        """Write the whole lines, and keep what follows the last."""
        mark = _current.get()
        key = (self._descriptor, _get_ident())
        text = mark.waiting.pop(key, b"") + data if mark.waiting else bytes(data)
        end = text.rfind(b"\n") + 1
        if end != len(text):
            rest = text[end:]
            if len(rest) < WAITING_LIMIT:
                mark.waiting[key] = rest
                text = text[:end]
            else:
                text += b"\n"
        if text:
            self._put(mark, text)
        return len(data)

    def finish(self, mark: Mark, thread: int | None = None) -> None:
        """Write what waits for its line end, of one *thread* or of all of them."""
        for key in tuple(mark.waiting):
            if key[0] == self._descriptor and thread in (None, key[1]):
                rest = mark.waiting.pop(key, b"")
                if rest:
                    self._put(mark, rest + b"\n")

    def flush(self) -> None:
        """Nothing but halves of lines waits; a forked child, which may just end, writes those."""
        if not self._owner:
            self.finish(_current.get())

    def fileno(self) -> int:
        """The file's."""
        return self._descriptor

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Never: it is read line by line."""
        return False

    def _put(self, mark: Mark, text: bytes) -> None:
        prefix = mark.prefix
        if prefix:
            last = text[-1:]
            text = prefix + text[:-1].replace(b"\n", b"\n" + prefix) + last
        with self._lock:
            # More than a pipe holds takes several calls.
            sent = os.write(self._descriptor, text)
            while sent < len(text):
                text = text[sent:]
                sent = os.write(self._descriptor, text)

    def _forked(self) -> None:
        self._lock = threading.Lock()
        self._owner = False
        _current.get().waiting.clear()


class Streams:
    """Both files of this program."""

    def __init__(self) -> None:
        self._streams = (Stream(1), Stream(2))
        self._pools = False
        out, err = self._streams
        sys.stdout = _text(out, "strict")
        sys.stderr = _text(err, "backslashreplace")
        threading.Thread.start = _starting(threading.Thread.start, self)  # type: ignore[method-assign]
        import atexit

        atexit.register(self.finish, OUTSIDE)

    def begin(self, request: str) -> Token[Mark]:
        """From here on this thread, or task, handles *request*."""
        if not self._pools and POOLS in sys.modules:
            self._pools = True
            pool = sys.modules[POOLS].ThreadPoolExecutor
            pool.submit = _submitting(pool.submit)
        known = request if request.isascii() and request.isprintable() else ""
        known = known.replace(" ", "")[:ID_LIMIT]
        return _current.set(Mark(MARK + known.encode() + MARK if known else b""))

    def end(self, token: Token[Mark]) -> None:
        """The request is answered."""
        mark = _current.get()
        _current.reset(token)
        if mark.waiting:
            self.finish(mark)

    def finish(self, mark: Mark, thread: int | None = None) -> None:
        """Write what waits for its line end."""
        for stream in self._streams:
            stream.finish(mark, thread)


def _text(stream: Stream, errors: str) -> io.TextIOWrapper:
    encoding = getattr(sys.stdout, "encoding", "") or "utf-8"
    return io.TextIOWrapper(stream, encoding, errors, newline="\n", write_through=True)


def _starting(start: Any, streams: Streams) -> Any:
    def marked(thread: threading.Thread) -> None:
        """Start the thread, as part of the request that starts it."""
        mark = _current.get()
        target = getattr(thread, "_target", None)
        # A worker of a pool works for whoever comes next.
        if mark is not OUTSIDE and getattr(target, "__module__", "") != POOLS:
            run = thread.run

            def running() -> None:
                _current.set(mark)
                try:
                    run()
                finally:
                    vars(thread).pop("run", None)
                    if mark.waiting:
                        streams.finish(mark, _get_ident())

            thread.run = running  # type: ignore[method-assign]
        start(thread)

    return marked


def _submitting(submit: Any) -> Any:
    def marked(pool: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have the pool call *function* as part of the request that submits it."""
        mark = _current.get()
        if mark is OUTSIDE:
            return submit(pool, function, *args, **kwargs)

        def running(*args: Any, **kwargs: Any) -> Any:
            token = _current.set(mark)
            try:
                return function(*args, **kwargs)
            finally:
                _current.reset(token)

        return submit(pool, running, *args, **kwargs)

    return marked
