"""Prints each event that it gets, and answers with nothing: the event is done with."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Display(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        print(f"{self.headers['ce-type']} from {self.headers['ce-source']}: {data.decode()}")
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, *_):
        pass  # What it prints says enough.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True)
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Display).serve_forever()
