"""A subscriber that can take some orders only, and the one that gets what it could not take.

``fragile`` answers 500 to what it cannot read as JSON with an ``amount``. ``morgue`` gets those
events when all attempts have failed, with what went wrong in attributes.
"""

import base64
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Subscriber(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, body = take(self.headers, data)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # What it prints says enough.


def fragile(headers, data):
    try:
        amount = json.loads(data)["amount"]
    except (ValueError, KeyError, TypeError) as exc:
        print(f"event {headers['ce-id']}: cannot read {data.decode()}")
        return 500, f"no amount: {type(exc).__name__}".encode()
    print(f"event {headers['ce-id']}: {amount}")
    return 202, b""


def morgue(headers, data):
    why = base64.b64decode(headers.get("ce-knativeerrordata", "")).decode()
    code, target = headers.get("ce-knativeerrorcode"), headers.get("ce-knativeerrordest")
    print(f"event {headers['ce-id']}: {target} has answered {code}: {why}")
    return 202, b""


take = {"fragile": fragile, "morgue": morgue}[os.environ.get("K_SERVICE", "fragile")]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdout.reconfigure(line_buffering=True)
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Subscriber).serve_forever()
