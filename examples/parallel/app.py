"""The parts of two branches, told apart by the name of the service that runs them.

A filter answers with the event to let it through, and with nothing to stop it. What a branch
answers goes to ``display``, which prints it.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = os.environ.get("K_SERVICE", "display")


def answer(text):
    """What the part called NAME makes of *text*; None to let nothing through."""
    match NAME:
        case "is-letter":
            return text if text.isalpha() else None
        case "is-number":
            return text if text.isdecimal() else None
        case "letters":
            return text.upper()
        case "numbers":
            return str(int(text) * 2)
        case _:
            print(text)
            return None


class Part(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        answered = answer(text)
        self.send_response(202 if answered is None else 200)
        body = b"" if answered is None else answered.encode()
        if answered is not None:
            for name in ("ce-specversion", "ce-id", "ce-source", "ce-type"):
                self.send_header(name, self.headers[name])
            self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What it prints says enough.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True)
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Part).serve_forever()
