"""Programs of ``tests/e2e/services`` as Services of a run, by either runtime, from zero.

As processes they run in the tests' own Python; as containers in one image that has them all and
what they import, installed outside of it, since a build has no network.
"""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from platform import machine
from typing import Any

import httpx
import pytest

from knlite.functions.environment import site_packages
from knlite.runtime.docker.function_image import BASE_IMAGE
from knlite.settings import default_cache_dir
from tests.e2e.executable import Knlite, wait_until

SERVICES = Path(__file__).parent / "services"
IMAGE = "knlite.test/services:latest"
IMPORTED = ("grpcio", "h2", "websockets")
DOCKERFILE = f"""\
FROM {BASE_IMAGE}
COPY site-packages /site-packages
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /site-packages
COPY services /services
ENV PYTHONPATH=/site-packages PYTHONUNBUFFERED=1
"""
RUNTIMES = ("process", pytest.param("docker", marks=pytest.mark.docker))
AT_ZERO = (
    "--set",
    "config-autoscaler.allow-zero-initial-scale=true",
    "--set",
    "config-autoscaler.initial-scale=0",
    "--set",
    "config-autoscaler.stable-window=6s",
    "--set",
    "config-autoscaler.scale-to-zero-grace-period=1s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A Service, and which of the programs it runs."""

    name: str
    program: str
    port: str = "http1"
    """Name of the container's port, by which its protocol is known."""
    spec: dict[str, object] = field(default_factory=dict)
    """Of the revision, besides its container."""
    scaling: dict[str, object] = field(default_factory=dict)
    """Annotations for the autoscaler, without their prefix."""
    env: dict[str, str] = field(default_factory=dict)
    container: dict[str, object] = field(default_factory=dict)
    """Further fields of the container."""

    def manifest(self, runtime: str) -> str:
        annotations = {f"autoscaling.knative.dev/{k}": str(v) for k, v in self.scaling.items()}
        container: dict[str, object] = {
            "image": IMAGE,
            "ports": [{"name": self.port, "containerPort": 8080}],
            "env": [{"name": name, "value": value} for name, value in self.env.items()],
            **self.container,
        }
        if runtime == "docker":
            container["command"] = ["python3", f"/services/{self.program}/server.py"]
        else:
            words = [sys.executable, str(SERVICES / self.program / "server.py")]
            annotations["knlite.dev/command"] = shlex.join(words)
        return json.dumps(
            {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {"name": self.name},
                "spec": {
                    "template": {
                        "metadata": {"annotations": annotations},
                        "spec": {"containers": [container], **self.spec},
                    }
                },
            }
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A running knlite with Services; those that have been asked nothing are at zero."""

    knlite: Knlite
    folder: Path
    runtime: str

    def apply(self, service: Served) -> None:
        """Write the manifest; knlite reads it again by itself."""
        (self.folder / f"{service.name}.json").write_text(service.manifest(self.runtime))

    @property
    def port(self) -> int:
        """Where the gateway listens, on 127.0.0.1."""
        return self.knlite.port

    def get(self, service: str, path: str = "/", **headers: str) -> httpx.Response:
        """What a warm or cold GET gets."""
        host = host_of(service)
        return self.knlite.http.get(path, headers={"Host": host, **headers})

    def post(self, service: str, path: str, body: Any = b"") -> httpx.Response:
        """What a POST gets; *body* may be an iterator, and is sent in chunks then."""
        return self.knlite.http.post(path, headers={"Host": host_of(service)}, content=body)

    def logged(self, service: str, text: str) -> list[dict[str, Any]]:
        """The lines of *service* that hold *text*."""
        return self.knlite.logged(service, text)

    def instances(self, service: str) -> dict[str, str]:
        """The last known state of every instance that *service* has had."""
        changes = self.knlite.seen("InstanceChanged", service=service)
        return {fact["instance"]: fact["state"] for fact in changes}

    def record(self, service: str, path: str) -> dict[str, Any]:
        """What is told of the last request to *path*, once it is over."""

        def found() -> list[dict[str, Any]]:
            records = self.knlite.seen("RequestDone", service=service)
            return [each for each in records if each["httpRequest"]["requestUrl"] == path]

        return dict(wait_until(found, f"the record of {path}")[-1])

    def until_idle(self, service: str) -> None:
        """Wait until no request of *service* waits or runs."""
        wait_until(lambda: self.load(service) == (0, 0), f"nothing to do for {service}")

    def load(self, service: str) -> tuple[int, int]:
        """How many requests wait, and how many are at an instance, of all revisions."""
        found = {"kn_revision_request_queued": 0, "kn_revision_request_active": 0}
        for line in self.knlite.admin.get("/metrics").text.splitlines():
            name, _, rest = line.partition("{")
            if name in found and f'kn_service_name="{service}"' in rest:
                found[name] += int(float(rest.rpartition(" ")[2]))
        queued, active = found.values()
        return queued, active

    def curl(self, service: str, path: str, *options: str, body: bytes = b"") -> "Curled":
        """What curl gets, and what it says with ``--verbose``."""
        url = f"http://{host_of(service)}:{self.port}{path}"
        address = f"{host_of(service)}:{self.port}:127.0.0.1"
        shown = "%{stderr}\n<answer> %{http_code} %{http_version}"
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--verbose", "--max-time", "60",
             "--dump-header", "/dev/stderr",
             "--noproxy", "*", "--resolve", address, "--write-out", shown, *options, url],
            input=body, capture_output=True, check=False,
        )  # fmt: skip
        said = done.stderr.decode("latin-1")
        assert done.returncode == 0, said
        status, used = said.rpartition("<answer> ")[2].split()
        return Curled(int(status), used, done.stdout, said.replace("\r", ""))


@dataclass(frozen=True, slots=True)
class Curled:
    """An answer that curl got."""

    status: int
    version: str
    """``1.1``, ``2``."""
    body: bytes
    said: str

    def header(self, name: str) -> str | None:
        """A header of the answer or its trailers."""
        for line in self.said.splitlines():
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return None


def host_of(service: str) -> str:
    """The name by which clients ask for *service*."""
    return f"{service}.default.localhost"


@contextmanager
def serving(folder: Path, runtime: str, services: Sequence[Served]) -> Iterator[Run]:
    """A run with *services*, all of them at zero."""
    if runtime == "docker":
        build_image()
    for service in services:
        (folder / f"{service.name}.json").write_text(service.manifest(runtime))
    run = Run(Knlite(str(folder), "--runtime", runtime, *AT_ZERO), folder, runtime)
    try:
        run.knlite.settled()
        yield run
    finally:
        run.knlite.stop()


@cache
def build_image() -> None:
    """Have the image with all programs. The engine remembers every step of it."""
    packages = asyncio.run(
        site_packages(
            tuple(f"{name}=={version(name)}" for name in IMPORTED),
            python_version="3.11",
            platform=f"{machine()}-manylinux_2_28",
            folder=SERVICES,
            name="tests",
            cache_dir=default_cache_dir(os.environ),
            environ=os.environ,
            report=lambda _: None,
        )
    )
    context = BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(DOCKERFILE)
        archive.addfile(dockerfile, BytesIO(DOCKERFILE.encode()))
        archive.add(packages, "site-packages")
        archive.add(SERVICES, "services")
    done = subprocess.run(
        ["docker", "build", "--quiet", "--tag", IMAGE, "-"],
        input=context.getvalue(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
