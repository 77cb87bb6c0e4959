"""Programs that stand behind knlite in benchmarks: the cheapest server, and one for large bodies.

Each tells on which port it listens in a file beside it, so that a benchmark can go to the very
same process without knlite.
"""

import os
import shutil
import sys
import time
from pathlib import Path

HELLO = "hello"
BODIES = "bodies"

_NGINX = """#!/bin/sh
# As cheap as a server can be: one worker that answers from its configuration.
echo "$PORT" > hello.port
folder="$PWD/.nginx-$PORT"
mkdir "$folder"
cat > "$folder/nginx.conf" <<END
{user}
worker_processes 1;
worker_rlimit_nofile 8192;
daemon off;
pid $folder/pid;
error_log /dev/null crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    {temporary}
    server {{
        listen 127.0.0.1:$PORT backlog=1024 reuseport;
        location / {{ default_type text/plain; return 200 "hello\\n"; }}
    }}
}}
END
exec nginx -c "$folder/nginx.conf"
"""
_PYTHON = """#!/bin/sh
echo "$PORT" > hello.port
exec {python} hello.py
"""
_HELLO = '''"""Answers each read as one request: as cheap as a server in Python can be."""

import asyncio
import os

import uvloop

ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n"


class Hello(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(ANSWER)


async def main():
    loop = asyncio.get_running_loop()
    port = int(os.environ["PORT"])
    server = await loop.create_server(Hello, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


uvloop.run(main())
'''
_BODIES = '''"""Sends and takes large bodies, and holds WebSockets open without a word.

GET /bytes/N answers N bytes; a POST with a Content-Length is read to its end and answered "ok"; a
WebSocket is accepted. Nothing is stored.
"""

import asyncio
import base64
import hashlib
import os

HEAD = b"HTTP/1.1 %b\\r\\nContent-Length: %d\\r\\n\\r\\n"
CHUNK = bytes(64 * 1024)


class Bodies(asyncio.Protocol):
    def __init__(self):
        self.head = b""
        self.to_read = self.to_write = 0
        self.deaf = self.full = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        while data and not self.deaf:
            if self.to_read:
                taken = min(self.to_read, len(data))
                self.to_read -= taken
                data = data[taken:]
                if not self.to_read:
                    self.answer(b"ok\\n")
                continue
            head, end, data = (self.head + data).partition(b"\\r\\n\\r\\n")
            if not end:
                self.head = head
                return
            self.head = b""
            self.begin(head)

    def begin(self, head):
        first, *lines = head.split(b"\\r\\n")
        method, path, _ = first.split(b" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        if headers.get(b"upgrade", b"").lower() == b"websocket":
            self.deaf = True
            key = headers[b"sec-websocket-key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accepted = base64.b64encode(hashlib.sha1(key).digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n"
                b"Connection: Upgrade\\r\\nSec-WebSocket-Accept: " + accepted + b"\\r\\n\\r\\n"
            )
        elif method == b"GET" and path.startswith(b"/bytes/"):
            self.to_write = int(path.removeprefix(b"/bytes/"))
            self.transport.write(HEAD % (b"200 OK", self.to_write))
            self.produce()
        elif b"transfer-encoding" in headers:
            self.answer(b"a length is required\\n", b"411 Length Required")
            self.transport.close()
        else:
            self.to_read = int(headers.get(b"content-length", b"0"))
            if not self.to_read:
                self.answer(b"ok\\n")

    def answer(self, body, status=b"200 OK"):
        self.transport.write(HEAD % (status, len(body)) + body)

    def produce(self):
        while self.to_write and not self.full and not self.transport.is_closing():
            sent = min(self.to_write, len(CHUNK))
            self.to_write -= sent
            self.transport.write(CHUNK[:sent] if sent < len(CHUNK) else CHUNK)

    def pause_writing(self):
        self.full = True

    def resume_writing(self):
        self.full = False
        self.produce()


async def main():
    port = int(os.environ["PORT"])
    with open("bodies.port", "w") as file:
        file.write(str(port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Bodies, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


asyncio.run(main())
'''
_SERVICE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}, namespace: bench}}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: "{instances}"
        autoscaling.knative.dev/max-scale: "1"
        autoscaling.knative.dev/initial-scale: "{instances}"
        knlite.dev/command: "{command}"
    spec:
      containers: [{{image: benchmark/{name}}}]
---
"""


def hello_command(folder: Path) -> str:
    """The command of the cheapest server, whose program is written to *folder*."""
    script = folder / "hello.sh"
    if shutil.which("nginx") is not None:
        script.write_text(
            _NGINX.format(user=nginx_user(), temporary=nginx_folders("$folder")), encoding="utf-8"
        )
    else:
        (folder / "hello.py").write_text(_HELLO, encoding="utf-8")
        script.write_text(_PYTHON.format(python=sys.executable), encoding="utf-8")
    script.chmod(0o755)
    return "./hello.sh"


def bodies_command(folder: Path) -> str:
    """The command of the server for large bodies, whose program is written to *folder*."""
    (folder / "bodies.py").write_text(_BODIES, encoding="utf-8")
    return f"{sys.executable} bodies.py"


def service(name: str, command: str, *, instances: int) -> str:
    """The manifest of a service that always has one instance, or begins at zero."""
    return _SERVICE.format(name=name, command=command, instances=instances)


def host(name: str) -> str:
    """The Host of such a service."""
    return f"{name}.bench.localhost"


def port_of(name: str, folder: Path) -> int:
    """Where the instance of *name* listens, once it has started."""
    file = folder / f"{name}.port"
    for _ in range(500):
        text = file.read_text(encoding="ascii").strip() if file.exists() else ""
        if text:
            return int(text)
        time.sleep(0.02)
    sys.exit(f"the instance of {name} did not start")


def nginx_user() -> str:
    """Who the workers of nginx are: they must be able to use a private folder."""
    return "user root;" if os.geteuid() == 0 else ""


def nginx_folders(folder: str) -> str:
    """Where nginx keeps what it cannot keep in memory, instead of where only root may."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
