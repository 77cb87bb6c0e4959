"""Adds numbers: takes events, and answers with events that say which request they answer."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Adder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        numbers = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        body = json.dumps({"sum": sum(numbers)}).encode()
        self.send_response(200)
        for name, value in (
            ("ce-specversion", "1.0"),
            ("ce-id", f"sum-of-{self.headers['ce-id']}"),
            ("ce-source", "/adder"),
            ("ce-type", "com.example.result"),
            ("ce-replyid", self.headers.get("ce-correlationid", "")),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Adder).serve_forever()
