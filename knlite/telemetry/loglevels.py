"""How serious a line of a log is, and which lines go on with the one before: guesses from text.

Programs write as they please, so this knows the usual forms: JSON with a level (zap, pino,
structlog, Google's severity), logfmt, klog, words in capitals or followed by a colon, and what
interpreters say when a program fails. A line that says nothing is ``info``, on stderr too: most
loggers write there.
"""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

Level = Literal["error", "warning", "info", "debug"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info", "debug")
"""The most serious first."""

LOOK_AT = 200
"""Characters of a line in which a level may stand."""
LONGEST_JSON = 64 * 1024

_WORDS: dict[str, Level] = {
    **dict.fromkeys(
        ("fatal", "critical", "crit", "alert", "emergency", "emerg", "panic", "dpanic", "severe",
         "error", "err", "eror"), "error"),
    **dict.fromkeys(("warning", "warn"), "warning"),
    **dict.fromkeys(("info", "notice", "information", "default"), "info"),
    **dict.fromkeys(("debug", "trace", "verbose", "fine", "dbg"), "debug"),
}  # fmt: skip
_HINTS = ("info", "err", "warn", "debug", "trace", "notice", "fatal", "crit", "panic", "alert",
          "severe", "level", "lvl")  # fmt: skip
"""One of them is in whatever the patterns below find."""
_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel")
_KLOG: dict[str, Level] = {"E": "error", "F": "error", "W": "warning", "I": "info"}
_NUMBERS: tuple[tuple[int, Level], ...] = ((50, "error"), (40, "warning"), (30, "info"))
"""Of pino and bunyan, from which number on."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LOGFMT = re.compile(r"\b(?:level|lvl|severity)=\"?(\w+)")
_IS_KLOG = re.compile(r"([EFWI])\d{4} \d\d:\d\d:\d\d")
_CAPITALS = re.compile(
    r"\b(FATAL|CRITICAL|ALERT|PANIC|SEVERE|ERROR|ERR|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE)\b"
)
_WITH_COLON = re.compile(
    r"(?:^|[\s\[(|])(fatal|critical|panic|error|err|warning|warn|info|notice|debug|trace)[\]):|]",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"Traceback \(most recent call last\)|(?:[\w.]+\.)?\w*(?:Error|Exception)(?::|$)"
    r"|Uncaught |Unhandled |fatal error:|Exception in thread|goroutine \d+ \[|Segmentation fault"
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
_CHAINED = re.compile(r"During handling of the above|The above exception was the direct")
_GOES_ON = re.compile(r"Caused by:|\.\.\. \d+ more|goroutine \d+ \[|created by ")
_GO_FRAME = re.compile(r"[\w./*()$-]+\(.*\)$|exit status \d+$")


def plain(text: str) -> str:
    """*text* without the sequences that color a terminal or move its cursor."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def level_of(text: str) -> Level:
    """The level of one line by itself; *text* is plain."""
    found = _of_json(text) if text.startswith("{") else None
    return found or _of_words(text[:LOOK_AT])


def _of_json(text: str) -> Level | None:
    if len(text) > LONGEST_JSON:
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(value, Mapping):
        return None
    for key in _KEYS:
        level = value.get(key)
        if isinstance(level, str) and level.lower() in _WORDS:
            return _WORDS[level.lower()]
        if isinstance(level, int) and not isinstance(level, bool):
            return next((name for least, name in _NUMBERS if level >= least), "debug")
    return "info"


def _of_words(text: str) -> Level:
    klog = _IS_KLOG.match(text)
    if klog:
        return _KLOG[klog[1]]
    lowered = text.lower()
    # Most lines hold none of the words; patterns would look for them letter by letter.
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return "error" if _FAILURE.match(text) else "info"
    for pattern in (_LOGFMT, _CAPITALS, _WITH_COLON) if "=" in text else (_CAPITALS, _WITH_COLON):
        found = pattern.search(text)
        if found and found[1].lower() in _WORDS:
            return _WORDS[found[1].lower()]
    return "error" if _FAILURE.match(text) else "info"


class Grouping:
    """The lines of one stream of one container, in order: each with its level, and whether it goes
    on with the one before (a frame of a traceback, an indented line)."""

    __slots__ = ("_kind", "_level")

    def __init__(self) -> None:
        self._level: Level | None = None
        """Of the line that the next one may belong to."""
        self._kind: Literal["", "python", "ended", "chained", "go"] = ""
        """Of what a failure is told, while its end has not come."""

    def judge(self, text: str) -> tuple[Level, bool]:
        """The level of the next line, and whether it belongs to the one before."""
        before = self._level
        if before is not None and self._goes_on(text, before):
            return before, True
        self._kind = ""
        level = self._level = level_of(text)
        if _TRACEBACK.match(text):
            self._kind = "python"
        elif text.startswith(("panic:", "fatal error:")):
            self._kind, self._level = "go", "error"
            level = "error"
        return level, False

    def _goes_on(self, text: str, before: Level) -> bool:
        if not text.strip():
            return bool(self._kind)
        if text[0].isspace():
            return True
        if _TRACEBACK.match(text):
            # The logger's line says that something failed, the traceback what; but what comes
            # after the end of another one is told by itself, unless it is said to belong to it.
            joined = before == "error" and self._kind in ("", "chained")
            self._kind = "python"
            return joined
        if _CHAINED.match(text):
            self._kind = "chained"
            return before == "error"
        if _GOES_ON.match(text):
            return before == "error"
        if self._kind == "python":
            # The exception itself, with which it ends, unless another one follows.
            self._kind = "ended"
            return bool(_FAILURE.match(text)) or ":" in text or text.isidentifier()
        return self._kind == "go" and bool(_GO_FRAME.match(text))
