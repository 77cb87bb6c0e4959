"""What runners write: lines that name their request, and one sentence about what cannot start.

Pins Knative Functions reference §2.1 and §3.2 where they speak of tracebacks; marks are knlite's
own (docs/adr/0039).
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knlite.functions import logmark
from knlite.functions.python import RUNNERS
from tests.contract.runner import Runner, running, starting

MARKS = {"KNLITE_LOG_MARKS": "1"}
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


def ask(runner: Runner, request: str, path: str = "/") -> tuple[int, str]:
    status, _, text = runner.ask(path, headers={"X-Request-Id": request})
    return status, text


def stopped(runner: Runner) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The marks and texts of all lines that it has written."""
    out, err = (lines_of(text) for text in runner.stopped())
    return out, err


def lines_of(text: str) -> list[tuple[str, str]]:
    return [logmark.split(line) for line in text.rstrip("\n").split("\n")]


def test_each_line_names_the_request_that_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(WRITES)
    with running(tmp_path, "parliament_runner", **MARKS) as runner:
        ask(runner, "id-a", "/?name=a")
        ask(runner, "id-b", "/?name=b")
        ask(runner, "not one id", "/?name=c")
        out, err = stopped(runner)
    # The other threads' lines do not mix with the half of a line that waits for its end.
    texts = ["one {}", "two", "three {}", "thread {}", "pooled {}", "half of itunfinished {}"]
    # Other threads' lines do not mix with the half of a line that waits for its end.
    # What is unfinished is written once the request is over, when the next one may have begun.
    for request, name in (("id-a", "a"), ("id-b", "b"), ("notoneid", "c")):
        lines = [line for mark, line in out if mark == request]
        assert lines == [text.format(name) for text in texts]
    assert out[0] == ("", "outside")
    assert len(out) == 1 + 3 * len(texts)
    assert err == [("id-a", "err a"), ("id-b", "err b"), ("notoneid", "err c")]


def test_lines_of_tasks_side_by_side_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(MANY)
    names = [f"r{number}" for number in range(8)]
    with (
        running(tmp_path, "func_python_runner", "http", **MARKS) as runner,
        ThreadPoolExecutor(len(names)) as pool,
    ):
        asked = [pool.submit(ask, runner, name, f"/?{name}") for name in names]
        assert runner.process.stdout is not None
        lines = [runner.process.stdout.readline().rstrip("\n") for _ in range(20 * len(names))]
        assert {each.result()[0] for each in asked} == {200}
    wanted = {(name, f"{name} {number} {'x' * 3000}") for name in names for number in range(20)}
    assert set(map(logmark.split, lines)) == wanted


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
    with starting(tmp_path / "copy", "parliament_runner", KNLITE_ORIGIN=origin, **MARKS) as runner:
        _, err = runner.ended()
    assert runner.process.returncode == 1
    words = logmark.last_words(err.rstrip("\n").split("\n"))
    assert words[0].startswith(said.format(origin))
    # What Python itself says well enough needs no more words.
    assert words[1:] == [] or words[1].startswith("  fix:   ")
    assert str(RUNNERS) not in err
    assert "copy" not in err


@pytest.mark.parametrize("wrong", ["def (\n", "1 / 0\n"])
def test_a_traceback_leaves_out_the_steps_from_one_import_to_the_next(
    tmp_path: Path, wrong: str
) -> None:
    package = tmp_path / "copy" / "function"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .func import new\n")
    (package / "func.py").write_text(wrong)
    origin = str(tmp_path / "mine")
    copy = tmp_path / "copy"
    with starting(copy, "func_python_runner", "http", KNLITE_ORIGIN=origin, **MARKS) as runner:
        _, err = runner.ended()
    assert f'File "{origin}/function/__init__.py", line 1, in <module>\n' in err
    assert f'File "{origin}/function/func.py", line 1' in err
    assert "importlib" not in err
    assert str(RUNNERS) not in err


def test_a_traceback_shows_the_lines_that_ran_under_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "func.py").write_text("import lib\ndef main(context):\n    lib.fail()\n")
    (tmp_path / "copy" / "lib.py").write_text("def fail():\n    raise ValueError('oh')\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lib.py").write_text("# changed\n# since\n")
    for _ in range(2):  # The second time from compiled code.
        origin = str(tmp_path / "mine")
        with running(
            tmp_path / "copy", "parliament_runner", KNLITE_ORIGIN=origin, **MARKS
        ) as runner:
            assert ask(runner, "r1") == (500, "Function raised oh")
            _, err = stopped(runner)
        assert ("r1", f'  File "{tmp_path}/mine/lib.py", line 2, in fail') in err
        assert ("r1", "    raise ValueError('oh')") in err
        assert err[0] == ("r1", "Traceback (most recent call last):")
        assert str(RUNNERS) not in str(err)


def test_with_debug_the_answer_holds_the_traceback(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("def main(context):\n    1 / 0\n")
    with running(tmp_path, "parliament_runner", KNLITE_DEBUG="1") as runner:
        status, text = ask(runner, "r1")
    assert status == 500
    assert f'File "{tmp_path}/func.py", line 2, in main' in text


def test_an_import_that_does_not_end_says_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text("import time\nwhile True:\n    time.sleep(0.01)\n")
    with starting(tmp_path, "parliament_runner") as runner:
        assert runner.process.stderr is not None
        said = runner.process.stderr.readline()
    assert "the function is still being imported after 5 s: it stands at" in said
    assert f"{tmp_path}/func.py line 3: time.sleep(0.01)" in said
