"""What a person has to read of why a program did not start."""

import pytest

from knlite.serving.failures import in_short

IMPORT = """Container failed with: Traceback (most recent call last):
  File "/knlite/functions/runners/parliament_runner.py", line 740, in <module>
    main(sys.argv[1])
  File "/home/me/hello/func.py", line 3, in <module>
    import shop
  File "/venv/lib/python3.12/site-packages/shop.py", line 9, in <module>
    raise ValueError("boo")
ValueError: boo
"""
SYNTAX = """Traceback (most recent call last):
  File "/knlite/functions/runners/parliament_runner.py", line 740, in <module>
    main(sys.argv[1])
  File "/home/me/hello/func.py", line 2
    return ((
           ^
SyntaxError: '(' was never closed.
"""


@pytest.mark.parametrize(
    ("message", "short"),
    [
        pytest.param(IMPORT, "/home/me/hello/func.py:3: ValueError: boo", id="in a library"),
        pytest.param(
            SYNTAX, "/home/me/hello/func.py:2: SyntaxError: '(' was never closed", id="syntax"
        ),
        pytest.param(
            'Revision "web-2" failed with message: Container failed with: it is broken',
            "it is broken",
            id="wrapped",
        ),
        pytest.param("exec: no such file\nmore", "exec: no such file", id="no Python"),
        pytest.param(
            "the image cannot be built\n  cause: line 6: false\n  fix:   correct it",
            "the image cannot be built: line 6: false",
            id="one of ours",
        ),
        pytest.param("Traceback (most recent call last):\nKeyError", "KeyError", id="no frame"),
        pytest.param(" \n", "", id="nothing"),
    ],
)
def test_in_one_line(message: str, short: str) -> None:
    assert in_short(message) == short
