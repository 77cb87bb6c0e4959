"""The program that evaluates the JSONata expressions of one transform, for ``jsonata.py``.

What comes in and what goes out are frames: four bytes with the length, then so many bytes. The
first frame is a JSON list of expressions. Each later one is the number of an expression as one
byte, and the JSON text that it is applied to; the answer to it is a line with what happened
(``+`` and a content type, or ``-`` and why there is no result), and the result as JSON text.

An expression that takes longer than ``LIMIT`` ends the program, wherever it is: a regular
expression that does not come to an end is in the hands of C code, which nothing else interrupts.

Source: knative-extensions/eventing-integrations ``transform-jsonata/jsonata.js`` (content type,
what counts as a result).
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from jsonata import JException, Jsonata

LIMIT = 2.0
"""Seconds of processor time for one evaluation."""
MEMORY = 1024 * 1024 * 1024
"""Bytes of address space, most of which nobody touches."""
LARGEST = 32 * 1024 * 1024
"""Bytes of a result, which may become an event of its own."""

_PLAIN = str | int | float

Transform = Callable[[object], object]


def main() -> None:
    """Answer until nobody asks any more."""
    with suppress(ValueError, OSError):
        # Not all systems know it.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    taken, given = sys.stdin.buffer, sys.stdout.buffer
    first = _read(taken)
    if first is None:
        return
    transforms = [Jsonata.jsonata(expression).evaluate for expression in json.loads(first)]
    while (frame := _read(taken)) is not None:
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        answer = _answer(transforms[frame[0]], frame[1:])
        signal.setitimer(signal.ITIMER_PROF, 0)
        given.write(len(answer).to_bytes(4, "big") + answer)
        given.flush()


def _read(taken: BinaryIO) -> bytes | None:
    head = taken.read(4)
    return taken.read(int.from_bytes(head, "big")) if len(head) == 4 else None


def _answer(transform: Transform, document: bytes) -> bytes:
    try:
        result = transform(json.loads(document))
        if not isinstance(result, dict | list):
            return _failed(f"the result is no object: {_shown(result)}")
        text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        body = text.encode()
    except JException as exc:
        return _failed(f"{exc} ({exc.get_error()})")
    except RecursionError:
        return _failed("the expression calls itself too often")
    except MemoryError:
        return _failed("the expression needs too much memory")
    except Exception as exc:  # noqa: BLE001  The library stumbles over some expressions.
        return _failed(f"the expression failed: {type(exc).__name__}: {exc}")
    if len(body) > LARGEST:
        return _failed(f"the result is larger than {LARGEST} bytes")
    return f"+{_one_line(_content_type(result))}\n".encode() + body


def _content_type(result: dict[str, object] | list[object]) -> str:
    """What the result says itself, or what it looks like."""
    if isinstance(result, dict):
        said = result.get("contenttype")
        if said:
            return str(said)
        if "specversion" in result:
            return "application/cloudevents+json"
    return "application/json"


def _failed(why: str) -> bytes:
    return f"-{_one_line(why)}\n".encode(errors="replace")


def _shown(result: object) -> str:
    if result is None:
        return "it is undefined"
    return f"it is {json.dumps(result)[:60]}" if isinstance(result, _PLAIN) else "it is a function"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:1024]


if __name__ == "__main__":
    main()
