"""What uv prints without a terminal, as shares and as what is wrong (uv 0.5 and later)."""

from knlite.functions.uvprogress import share, without_progress

PRINTED = """\
Using Python 3.11.7 environment at: /tmp/e
Resolved 7 packages in 3ms
Downloading numpy (16.0MiB)
Prepared 7 packages in 1.20s
Installed 7 packages in 5ms
Bytecode compiled 400 files in 120ms
 + flask==3.1.0
error: Resolved it is not
"""


def test_each_phase_is_further_on_and_other_lines_say_nothing() -> None:
    shares = [share(line) for line in PRINTED.splitlines()]
    assert shares == [None, 0.1, None, 0.7, 0.9, 1.0, None, None]


def test_what_is_wrong_is_what_remains() -> None:
    assert without_progress(PRINTED) == "error: Resolved it is not\n"
