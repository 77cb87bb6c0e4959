"""Function projects of three sizes for benchmarks, and a service for each."""

from collections.abc import Mapping
from pathlib import Path

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
        "function/func.py": """from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Answer(BaseModel):
    message: str


@app.get("/")
async def hello() -> Answer:
    return Answer(message="hello")


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
dependencies = ["fastapi"]
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
metadata: {{name: {name}}}
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
    folder: Path, name: str, *, function: str = "", annotations: Mapping[str, str] | None = None
) -> None:
    """The manifest of the service *name* of *function* (one of its own name) in *folder*."""
    listed = ", ".join(f'"{key}": "{value}"' for key, value in (annotations or {}).items())
    text = _SERVICE.format(name=name, image=image(function or name), annotations="{" + listed + "}")
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
