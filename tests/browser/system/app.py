"""All programs of the tests' shop; which of them this is, is its Service's name.

``greeter`` says which revision answers and prints what the header ``X-Say`` holds. ``fragile``
answers 500 to every event until somebody asks it for ``/mend``. ``morgue`` takes everything.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE = os.environ.get("K_SERVICE", "greeter")
MENDED = threading.Event()


class Program(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if SERVICE == "fragile" and self.path == "/mend":
            MENDED.set()
        if self.path == "/long":
            print("x" * 1_000_000)
        if self.path == "/lines":
            print("\n".join(["x" * 1000] * 20_000))
        if "X-Say" in self.headers:
            print(self.headers["X-Say"].encode("latin-1").decode("unicode_escape"))
        self.answer(200, os.environ.get("K_REVISION", "").encode())

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        print(f"event {self.headers.get('ce-id', '')}: {data[:200].decode(errors='replace')}")
        if SERVICE == "fragile" and not MENDED.is_set():
            self.answer(500, b"<script>window.hostile = true</script> broken")
        else:
            self.answer(202, b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What it prints says enough.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Program).serve_forever()
