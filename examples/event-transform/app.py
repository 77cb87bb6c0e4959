"""Prints the data of each event. At /count it also answers how many letters that has."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Display(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if "cloudevents+json" in self.headers.get("Content-Type", ""):
            event = json.loads(body)
            kind, data = event["type"], event["data"]
        else:
            kind, data = self.headers["ce-type"], body.decode()
        print(f"{kind}: {data}")
        if self.path == "/count":
            self.answer(200, json.dumps({"letters": len(data)}).encode())
        else:
            self.answer(202, b"")

    def answer(self, status, body):
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What it prints says enough.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True)
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Display).serve_forever()
