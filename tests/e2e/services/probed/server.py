"""A web server that is well until it is told not to be.

``server.py check`` asks the one that runs beside it, as the command of a probe does.
"""

import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATE = {"well": True}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/fail":
            STATE["well"] = False
        if self.path.startswith("/slow"):
            time.sleep(3)
        if self.path == "/healthz" and not STATE["well"]:
            self.answer(500, "unwell")
        else:
            self.answer(200, f"{os.getpid()} {STATE['well']}")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check():
    port = os.environ.get("PORT", "8080")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        print(answer.status)


if sys.argv[1:] == ["check"]:
    check()
else:
    time.sleep(float(os.environ.get("START_DELAY", "0")))
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
