"""Levels of lines as programs write them, and lines that belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.telemetry.loglevels import LEVELS, Grouping, level_of, plain


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("listening on 8080", "info"),
        ("", "info"),
        ("ERROR cannot reach the database", "error"),
        ("2026-01-02 10:00:00,123 - app - WARNING - slow", "warning"),
        ("INFO:     Started server process [12] with 0 errors", "info"),
        ("error: unknown option", "error"),
        ("[warn] deprecated", "warning"),
        ("warning: unused variable", "warning"),
        ("no error here, all is well", "info"),
        ("DEBUG lookup took 1 ms", "debug"),
        ("level=warn msg=slow", "warning"),
        ('time=x level="error" msg=bad', "error"),
        ("E0102 10:00:00.000000       1 main.go:7] failed", "error"),
        ("I0102 10:00:00.000000       1 main.go:7] ERROR in the text", "info"),
        ('{"level":"error","msg":"x"}', "error"),
        ('{"severity":"WARNING","message":"x"}', "warning"),
        ('{"level":50,"msg":"pino"}', "error"),
        ('{"level":20,"msg":"pino"}', "debug"),
        ('{"level":true}', "info"),
        ('{"msg":"ERROR only in a value"}', "info"),
        ('{"level": "error", cut off', "info"),
        ("{" * 5000, "info"),
        ("[" * 5000, "info"),
        ("Traceback (most recent call last):", "error"),
        ("ValueError: x", "error"),
        ("Exception in thread main java.lang.IllegalStateException: x", "error"),
        ("Segmentation fault (core dumped)", "error"),
    ],
)
def test_a_level_is_guessed_from(text: str, level: str) -> None:
    assert level_of(text) == level


def test_colors_are_no_part_of_the_text() -> None:
    assert plain("\x1b[1;31mERROR\x1b[0m it \x1b]8;;http://x\x07fails\x1b]8;;\x07") == (
        "ERROR it fails"
    )
    assert plain("\x1b[2J\x1b[Hclean") == "clean"


@given(st.text())
def test_any_text_has_a_level(text: str) -> None:
    assert level_of(plain(text)) in LEVELS
    assert Grouping().judge(plain(text))[0] in LEVELS


def judged(*lines: str) -> list[tuple[str, bool]]:
    group = Grouping()
    return [group.judge(line) for line in lines]


def test_a_traceback_belongs_together_and_to_the_line_that_announced_it() -> None:
    found = judged(
        "INFO before",
        "ERROR: Exception in ASGI application",
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in <module>',
        "    1 / 0",
        "ZeroDivisionError: division by zero",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "app.py", line 2, in <module>',
        "sqlalchemy.exc.OperationalError: (psycopg2) no",
        "INFO after",
    )
    assert [part for _, part in found] == [False, False, *[True] * 10, False]
    assert [level for level, _ in found] == ["info", *["error"] * 11, "info"]


def test_a_traceback_of_its_own_begins_a_group() -> None:
    found = judged("served /", "Traceback (most recent call last):", "  File x", "KeyError: 'a'")
    assert found == [("info", False), ("error", False), ("error", True), ("error", True)]


def test_two_crashes_one_after_the_other_are_two() -> None:
    crash = ["Traceback (most recent call last):", "  File x", "KeyError: 'a'"]
    assert [part for _, part in judged(*crash, *crash)] == [False, True, True] * 2


@pytest.mark.parametrize(
    "lines",
    [
        [
            "java.lang.IllegalStateException: x",
            "\tat com.x.Y.z(Y.java:7)",
            "Caused by: y",
            "\tat b",
        ],
        ["TypeError: x is undefined", "    at f (app.js:1:2)", "    at g (app.js:3:4)"],
        ["panic: boom", "", "goroutine 1 [running]:", "main.main()", "\t/app/main.go:7 +0x1d"],
    ],
)
def test_stacks_of_other_languages_belong_together(lines: list[str]) -> None:
    found = judged(*lines, "next request")
    assert [part for _, part in found] == [False, *[True] * (len(lines) - 1), False]
    assert {level for level, _ in found[:-1]} == {"error"}


def test_an_indented_line_goes_on_with_the_one_before() -> None:
    assert judged("config:", "  port: 8080") == [("info", False), ("info", True)]


def test_an_empty_line_between_two_others_is_a_line_of_its_own() -> None:
    assert [part for _, part in judged("a", "", "b")] == [False, False, False]
