"""A web server of the standard library that answers step by step, as its client asks it to."""

import json
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WHO = f"{socket.gethostname()}:{os.getpid()}"
steps = threading.Semaphore(0)


def say(text):
    print(text, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        match self.path:
            case "/events":
                self.stream(self.events(), "text/event-stream")
            case "/poll":
                steps.acquire()
                self.answer({"who": WHO})
            case "/trailers":
                self.stream(iter([b"body"]), "text/plain", trailers={"X-Sum": "4"})
            case "/silent":
                self.wait_for_the_end()
            case "/stuck":
                self.stream(self.stuck(), "text/plain")
            case "/endless":
                self.stream(self.endless(), "text/plain")
            case _:
                self.answer({"who": WHO, "version": self.request_version, "headers": self.pairs()})

    def do_POST(self):
        match self.path:
            case "/next":
                steps.release()
                self.answer({})
            case "/echo":
                self.stream(self.pieces(), "application/octet-stream")
            case _:
                say(f"begun {self.path}")
                body = b"".join(self.pieces())
                say(f"finished {self.path}")
                self.answer(
                    {
                        "who": WHO,
                        "bytes": len(body),
                        "headers": self.pairs(),
                        "trailers": self.trailers,
                    }
                )

    def pairs(self):
        return {name.lower(): value for name, value in self.headers.items()}

    def pieces(self):
        """The request's body as it comes."""
        self.trailers = {}
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = int(self.headers.get("Content-Length", 0))
            while left and (piece := self.rfile.read1(left)):
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.trailers[name.lower()] = value

    def events(self):
        for number in (1, 2, 3):
            yield b"data: %d\n\n" % number
            steps.acquire()

    def stuck(self):
        yield b"some"
        self.wait_for_the_end()

    def endless(self):
        while True:
            yield b"more "
            time.sleep(0.05)

    def wait_for_the_end(self):
        with suppress(OSError):
            self.connection.recv(1)
        say(f"left alone at {self.path}")
        self.close_connection = True

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, pieces, kind, trailers=None):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        if trailers:
            self.send_header("Trailer", ", ".join(trailers))
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            lines = "".join(f"{name}: {value}\r\n" for name, value in (trailers or {}).items())
            self.wfile.write(f"0\r\n{lines}\r\n".encode())
        except OSError:
            say(f"left alone at {self.path}")
            self.close_connection = True

    def log_message(self, *_):
        pass


def end(*_):
    # At once, as a program does that takes no care: whatever is still open would be cut.
    os.write(1, b"SIGTERM\n")
    os._exit(0)


signal.signal(signal.SIGTERM, end)
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
