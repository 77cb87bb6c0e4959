"""Function projects of three sizes for benchmarks, services of them, and how long one starts."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import anyio

from benchmarks.cold_start import free_port, poll
from knlite.functions.plan import make, plan
from knlite.serving.workload import FunctionProject
from knlite.settings import Settings

PARLIAMENT = "parliament"
FASTAPI = "fastapi"
ASGI = "asgi"

_FILES: Mapping[str, Mapping[str, str]] = {
    # What articles begin with: it answers a browser, and sends an event where it has a sink.
    PARLIAMENT: {
        "func.py": """import json
import os

import requests
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from parliament import Context

K_SINK = os.environ.get("K_SINK")


def main(context: Context):
    if K_SINK:
        event = CloudEvent({"type": "com.example.order", "source": "/web"}, {"hello": "world"})
        headers, body = to_binary(event)
        requests.post(K_SINK, data=body, headers=headers, timeout=10).raise_for_status()
    return json.dumps({"message": "hello"}), 200, {"Content-Type": "application/json"}
""",
        "requirements.txt": "parliament-functions==0.1.0\ncloudevents<2\nrequests\n",
        "Procfile": "web: python -m parliament .\n",
    },
    FASTAPI: {
        "function/__init__.py": "from .func import new\n",
        "function/func.py": """import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI()


class Order(BaseModel):
    name: str
    count: int = Field(default=1, ge=1)
    tags: list[str] = []


@app.get("/")
def hello() -> dict[str, str]:
    return {"message": "hello"}


@app.post("/orders")
def take(order: Order) -> Order:
    if order.name == "nothing":
        raise HTTPException(404)
    return order


@app.get("/remote")
async def remote(url: str) -> dict[str, int]:
    async with httpx.AsyncClient() as client:
        return {"status": (await client.get(url)).status_code}


class Function:
    async def handle(self, scope, receive, send):
        await app(scope, receive, send)


def new():
    return Function()
""",
        "pyproject.toml": """[project]
name = "function"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["fastapi", "httpx"]
""",
    },
    ASGI: {
        "function/__init__.py": "from .func import handle\n",
        "function/func.py": """HEADERS = [(b"content-length", b"5")]


async def handle(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello"})
""",
        "pyproject.toml": """[project]
name = "function"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = []
""",
    },
}
_FUNC = """specVersion: 0.36.0
name: {name}
runtime: python
image: {image}
created: 2026-01-01T00:00:00Z
"""
_SERVICE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  template:
    metadata:
      annotations: {annotations}
    spec:
      containers: [{{image: "{image}", imagePullPolicy: IfNotPresent}}]
---
"""


def image(name: str) -> str:
    """What the function *name* and its service call their image."""
    return f"benchmark.local/{name}:latest"


def project(folder: Path, name: str, kind: str) -> Path:
    """A new function project *name* of *kind* in *folder*; where it lies."""
    place = folder / name
    for file, text in {**_FILES[kind], "func.yaml": _FUNC}.items():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        filled = text.format(name=name, image=image(name)) if file == "func.yaml" else text
        (place / file).write_text(filled, encoding="utf-8")
    return place


def service(
    folder: Path,
    name: str,
    *,
    function: str = "",
    namespace: str = "default",
    annotations: Mapping[str, str] | None = None,
) -> None:
    """The manifest of the service *name* of *function* (one of its own name) in *folder*."""
    listed = ", ".join(f'"{key}": "{value}"' for key, value in (annotations or {}).items())
    text = _SERVICE.format(
        name=name,
        namespace=namespace,
        image=image(function or name),
        annotations="{" + listed + "}",
    )
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def words_of(folder: Path) -> tuple[str, ...]:
    """How knlite starts the function in *folder*; what it needs is installed."""
    return anyio.run(_words_of, folder)


async def _words_of(folder: Path) -> tuple[str, ...]:
    project = FunctionProject(folder=str(folder), name=folder.name, language="python", image="")
    settings = Settings()
    made = await make(
        plan(folder, project),
        folder=folder,
        origin=folder,
        name=folder.name,
        cache_dir=settings.cache_dir,
        environ=settings.environ,
        debug=False,
        report=lambda text, share=None: None,
    )
    return made.words


def spawned(words: tuple[str, ...], folder: Path) -> float:
    """Seconds to the first answer of the function in *folder*, spawned without knlite."""
    port = free_port()
    began = time.perf_counter()
    runner = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PORT": str(port), "LISTEN_ADDRESS": f"127.0.0.1:{port}"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        poll("127.0.0.1", port)
        return time.perf_counter() - began
    finally:
        runner.kill()
        runner.wait()
