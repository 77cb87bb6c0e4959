"""Steps of a flow: answers an event with its data and the path; on /log writes it down instead."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Step(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        step = self.path.strip("/")
        if step == "log":
            sys.stdout.write(f"got {self.headers['ce-type']} {data.decode()}\n")
            sys.stdout.flush()
        answer = b"" if step == "log" else data + step.encode()
        self.send_response(200)
        if answer:
            for name, value in self.headers.items():
                if name.lower().startswith("ce-"):
                    self.send_header(name, value)
            self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing of every request."""


ThreadingHTTPServer(("", int(os.environ["PORT"])), Step).serve_forever()
