"""What runners write: lines that name their request, and one sentence about what cannot start.

Pins Knative Functions reference §2.1 and §3.2 where they speak of tracebacks; marks are knlite's
own (docs/adr/0039).
"""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from knlite.functions import logmark
from knlite.functions.python import RUNNERS, START

WRITES = """
import subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
print("outside")
pool = ThreadPoolExecutor(1)
def main(context):
    name = context.request.args["name"]
    print("one", name)
    print("two\\nthree", name)
    print("half", end="")
    sys.stdout.flush()
    sys.stdout.buffer.write(b" of it")
    print("err", name, file=sys.stderr)
    thread = threading.Thread(target=print, args=("thread", name))
    thread.start()
    thread.join()
    pool.submit(print, "pooled", name).result()
    print(f"unfinished {name}", end="")
    return "x"
"""

MANY = """
import asyncio
async def handle(scope, receive, send):
    name = scope["query_string"].decode()
    for number in range(20):
        print(name, number, "x" * 3000)
        await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})
"""


@contextmanager
def started(
    folder: Path, runner: str, *arguments: str, **env: str
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-S", str(START), runner, str(folder), *arguments],
        env={
            **os.environ,
            "PORT": str(port),
            "LISTEN_ADDRESS": f"127.0.0.1:{port}",
            "KNLITE_LOG_MARKS": "1",
            **env,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def listens(process: "subprocess.Popen[str]", url: str) -> None:
    port = int(url.rpartition(":")[2])
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail("it has ended")


def ask(url: str, request: str) -> bytes:
    headers = {"X-Request-Id": request}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return bytes(answer.read())


def ended(process: "subprocess.Popen[str]") -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    return [*map(logmark.split, out.rstrip("\n").split("\n"))], [
        *map(logmark.split, err.rstrip("\n").split("\n"))
    ]


def test_each_line_names_the_request_that_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(WRITES)
    with started(tmp_path, "parliament_runner") as (process, url):
        listens(process, url)
        ask(f"{url}/?name=a", "id-a")
        ask(f"{url}/?name=b", "id-b")
        ask(f"{url}/?name=c", "not one id")
        out, err = ended(process)
    # The other threads' lines do not mix with the half of a line that waits for its end.
    texts = ["one {}", "two", "three {}", "thread {}", "pooled {}", "half of itunfinished {}"]
    wanted = [("id-a", text.format("a")) for text in texts]
    wanted += [("id-b", text.format("b")) for text in texts]
    wanted += [("notoneid", text.format("c")) for text in texts]
    assert out == [("", "outside"), *wanted]
    assert err == [("id-a", "err a"), ("id-b", "err b"), ("notoneid", "err c")]


def test_lines_of_tasks_side_by_side_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(MANY)
    with started(tmp_path, "func_python_runner", "http") as (process, url):
        listens(process, url)
        names = [f"r{number}" for number in range(8)]
        askers = [
            subprocess.Popen(
                [sys.executable, "-c", ASK, f"{url}/?{name}", name], stdout=subprocess.DEVNULL
            )
            for name in names
        ]
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip("\n") for _ in range(20 * len(names))]
        for asker in askers:
            assert asker.wait(10) == 0
        ended(process)
    wanted = {(name, f"{name} {number} {'x' * 3000}") for name in names for number in range(20)}
    assert set(map(logmark.split, lines)) == wanted


ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"X-Request-Id": sys.argv[2]})
urllib.request.urlopen(request, timeout=20).read()
"""

MAIN = "\ndef main(context):\n    return 'x'\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(
            "def main(context:\n", "{}/func.py line 1 is not valid Python: '(' was", id="syntax"
        ),
        pytest.param(
            "import requestz" + MAIN,
            "{}/func.py line 1 imports requestz, which is not installed",
            id="import",
        ),
        pytest.param(
            "def f():\n    1 / 0\nf()" + MAIN,
            "{}/func.py line 2 raised ZeroDivisionError while it was imported",
            id="raises",
        ),
        pytest.param(
            "import sys\nsys.exit('bye')" + MAIN,
            "{}/func.py line 2 ended the program (sys.exit) while it was imported: bye",
            id="exits",
        ),
        pytest.param("main = 5\n", "main in {}/func.py is an int, not a function", id="no call"),
        pytest.param("x = 5\n", "{}/func.py does not define main", id="nothing"),
    ],
)
def test_what_cannot_start_says_why_and_where(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "func.py").write_text(source)
    # The user's own file need not exist, nor still be what is run.
    origin = str(tmp_path / "mine")
    with started(tmp_path / "copy", "parliament_runner", KNLITE_ORIGIN=origin) as (process, _):
        _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    words = logmark.last_words(err.rstrip("\n").split("\n"))
    assert words[0].startswith(said.format(origin))
    assert words[1].startswith("  fix:   ")
    assert str(RUNNERS) not in err
    assert "copy" not in err


def test_a_traceback_shows_the_lines_that_ran_under_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "func.py").write_text("import lib\ndef main(context):\n    lib.fail()\n")
    (tmp_path / "copy" / "lib.py").write_text("def fail():\n    raise ValueError('oh')\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lib.py").write_text("# changed\n# since\n")
    for _ in range(2):  # The second time from compiled code.
        with started(
            tmp_path / "copy", "parliament_runner", KNLITE_ORIGIN=str(tmp_path / "mine")
        ) as (process, url):
            listens(process, url)
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(url, "r1")
            assert refused.value.read() == b"Function raised oh"
            refused.value.close()
            _, err = ended(process)
        assert ("r1", f'  File "{tmp_path}/mine/lib.py", line 2, in fail') in err
        assert ("r1", "    raise ValueError('oh')") in err
        assert err[0] == ("r1", "Traceback (most recent call last):")
        assert str(RUNNERS) not in str(err)


def test_with_debug_the_answer_holds_the_traceback(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("def main(context):\n    1 / 0\n")
    with started(tmp_path, "parliament_runner", KNLITE_DEBUG="1") as (process, url):
        listens(process, url)
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url, "r1")
        text = refused.value.read().decode()
        refused.value.close()
    assert f'File "{tmp_path}/func.py", line 2, in main' in text


def test_an_import_that_does_not_end_says_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("import time\nwhile True:\n    time.sleep(0.01)\n")
    with started(tmp_path, "parliament_runner") as (process, _):
        assert process.stderr is not None
        said = process.stderr.readline()
    assert "the function is still being imported after 5 s: it stands at" in said
    assert f"{tmp_path}/func.py line 3: time.sleep(0.01)" in said
