"""Whatever the network may bring, for as long as one likes: hostile bytes against the wire.

Inputs are mutated and played to one end of HTTP/1.1; the oracles in ``tests/contract`` say what
must never happen. What they object to is written to ``.fuzz`` and ends the run;
once its cause is known, it belongs into ``tests/vectors/wire``.

With atheris (``pip install atheris``) coverage guides the mutations; without it they are random.
"""

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "wire"
FOUND = Path(__file__).parents[1] / ".fuzz"
LONGEST = 4096
TOKENS = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b": ",
    b",",
    b";",
    b"=",
    b'"',
    b"#",
    b"@",
    b"*",
    b"0",
    b"1",
    b"-1",
    b"0x",
    b"\xff",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: Upgrade\r\nUpgrade: x\r\n",
    b"Connection: Content-Length\r\n",
    b"Expect: 100-continue\r\n",
    b"Host: b\r\n",
    b"Trailer: T\r\n",
    b"T: u\r\n",
    b"http://b/",
    b"HEAD ",
    b"OPTIONS * ",
]
SEEDS = {
    "server": [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nHEAD http://b/ HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
        b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    ],
    "client": [
        b"\0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"\0HTTP/1.1 103 E\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\nT: u\r\n\r\n",
        b"\0HTTP/1.0 200 OK\r\n\r\nhello",
        b"\1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"\0HTTP/1.1 204 No\r\n\r\nHTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
        b"\3HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nraw",
    ],
    "framing": [b"GET /\nHost: a\nConnection: close, X\nX: y\nUpgrade: x\nTE: trailers"],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--target", choices=sorted(SEEDS), default="server")
    parser.add_argument("--seed", type=int, default=None, help="of the random mutations")
    parser.add_argument("--random", action="store_true", help="do without atheris")
    chosen = parser.parse_args()
    if atheris is not None and not chosen.random:
        _guided(chosen.target, chosen.seconds)
        return
    if atheris is None:
        print("atheris is not installed (pip install atheris): mutations are random")
    seed = chosen.seed if chosen.seed is not None else time.time_ns()
    count = _at_random(chosen.target, chosen.seconds, random.Random(seed))
    print(f"{chosen.target}: {count} inputs in {chosen.seconds:g} s, nothing found (seed {seed})")


def _at_random(target: str, seconds: float, draw: random.Random) -> int:
    from tests.contract.wire_oracles import CHECKS

    check = CHECKS[target]
    pool = corpus(target)
    for data in pool:
        _try(target, check, data)
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutate(draw.choice(pool), pool, draw)
        _try(target, check, data)
        count += 1
    return count


def _guided(target: str, seconds: float) -> None:
    with atheris.instrument_imports(include=["knlite.dataplane.wire"]):
        from tests.contract.wire_oracles import CHECKS
    check = CHECKS[target]
    directory = FOUND / target / "corpus"
    directory.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus(target)):
        (directory / f"seed-{number}").write_bytes(data)
    words = directory.parent / "tokens"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS), encoding="ascii")
    options = [
        f"-max_total_time={int(seconds)}",
        f"-max_len={LONGEST}",
        f"-dict={words}",
        f"-artifact_prefix={directory.parent}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(directory)], lambda data: _try(target, check, data))
    atheris.Fuzz()


def corpus(target: str) -> list[bytes]:
    """The seeds, and what has been found before."""
    kept = sorted((VECTORS / target).glob("*"))
    return [*SEEDS[target], *(path.read_bytes() for path in kept)]


def mutate(data: bytes, pool: list[bytes], draw: random.Random) -> bytes:
    """Change *data* in a few places."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 3, 5, 8))):
        at = draw.randrange(len(changed) + 1)
        match draw.randrange(8):
            case 0 | 1 | 2:
                changed[at:at] = draw.choice(TOKENS)
            case 3:
                del changed[at : at + draw.choice((1, 1, 2, 8, 40))]
            case 4 if at < len(changed):
                changed[at] = draw.randrange(256)
            case 5 if at < len(changed):
                changed[at] ^= 1 << draw.randrange(8)
            case 6:
                other = draw.choice(pool)
                begin = draw.randrange(len(other) + 1)
                changed[at:at] = other[begin : begin + draw.choice((4, 20, 200))]
            case _:
                # A line twice, or in another place.
                lines = bytes(changed).split(b"\r\n")
                lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
                changed = bytearray(b"\r\n".join(lines))
    return bytes(changed[:LONGEST])


def _try(target: str, check: Callable[[bytes], None], data: bytes) -> None:
    try:
        check(data)
    except Exception:  # noqa: BLE001 - whatever it is, it is a finding
        FOUND.mkdir(parents=True, exist_ok=True)
        place = FOUND / f"{target}.found"
        place.write_bytes(data)
        traceback.print_exc()
        print(f"{data!r}\nis kept in {place}")
        raise SystemExit(1) from None


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    main()
