"""A step: answers with the event that it got, and its own word after the text.

``display`` prints what comes out in the end, and answers with nothing.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Step(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if os.environ.get("K_SERVICE") == "display":
            print(f"{self.headers['ce-type']}: {text}")
            self.answer(202, b"")
        else:
            self.answer(200, f"{text} {os.environ.get('WORD', '?')}".encode())

    def answer(self, status, body):
        self.send_response(status)
        if body:
            for name in ("ce-specversion", "ce-id", "ce-source"):
                self.send_header(name, self.headers[name])
            self.send_header("ce-type", f"com.example.step.{os.environ.get('K_SERVICE')}")
            self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What it prints says enough.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True)
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Step).serve_forever()
