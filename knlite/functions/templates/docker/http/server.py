"""A server in any language: it listens on $PORT, and ends on SIGTERM."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every path, the health paths among them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(b"Hello from a container!\n")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_request(self, code="-", size="-"):
        """Say nothing of the probes, which come every few seconds."""
        if not self.path.startswith("/health/"):
            super().log_request(code, size)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # LISTEN_ADDRESS is there where only this machine is to reach it; in a container all may.
    host = os.environ.get("LISTEN_ADDRESS", "").rpartition(":")[0]
    server = ThreadingHTTPServer((host, int(os.environ.get("PORT", "8080"))), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
