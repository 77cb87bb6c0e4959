"""Cold starts of Python functions are forks, and nobody has to know."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

CODE = """\
import json, os
TEXT = os.environ.get("TEXT", "none")

def main(context):
    print("asked", flush=True)
    return json.dumps([TEXT, os.getppid()]), 200
"""
SERVICE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    spec:
      containers:
        - image: dev.local/{image}
          env: [{{name: TEXT, value: {name}}}]
---
"""
SERVICES = {"one": "quick", "two": "quick", "hiding": "hiding"}


def test_a_cold_start_is_a_fork_and_falls_back_to_a_spawn(up: Up, tmp_path: Path) -> None:
    for name in ("quick", "hiding"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "func.py").write_text(CODE)
        (tmp_path / name / "func.yaml").write_text(
            f"specVersion: 0.36.0\nname: {name}\nruntime: python\nimage: dev.local/{name}\n"
        )
    # Its name is that of a module which the runner loads for a first request.
    (tmp_path / "hiding" / "uuid.py").write_text("")
    manifests = "".join(SERVICE.format(name=name, image=image) for name, image in SERVICES.items())
    (tmp_path / "services.yaml").write_text(manifests)
    knlite = up(tmp_path, "--runtime", "process").settled()

    def forks(service: str) -> int:
        return sum(
            fact["why"].endswith(", forked")
            for fact in knlite.seen("InstanceChanged", service=service, state="ready")
        )

    def cold(service: str) -> int:
        """The parent of the process that answers from zero."""
        path = f"/knlite/services/default/{service}/rest"
        wait_until(lambda: knlite.admin.post(path).status_code == 204, f"{service} to rest")
        wait_until(lambda: knlite.at_zero("default", service), f"{service} at zero")
        answer = knlite.get(f"{service}.default")
        assert answer.status_code == 200
        text, parent = answer.json()
        assert text == service, "each has its own environment"
        assert isinstance(parent, int)
        return parent

    def forked(service: str) -> bool:
        before = forks(service)
        cold(service)
        return forks(service) > before

    for service in ("one", "two"):
        wait_until(lambda: forked(service), f"a fork of {service}")  # noqa: B023
    zygote = cold("one")
    assert zygote == cold("two"), "functions that import the same share what is loaded"
    assert knlite.logged("one", "asked")

    os.kill(zygote, signal.SIGKILL)
    assert cold("one") == knlite.process.pid, "spawned"
    wait_until(lambda: forked("one"), "another one to fork from")

    def explained() -> bool:
        cold("hiding")
        return bool(knlite.seen("PreparationStep", service="hiding"))

    wait_until(explained, "why it is not forked")
    told = [fact["text"] for fact in knlite.seen("PreparationStep", service="hiding")]
    assert len(told) == 1
    assert "uuid.py takes the place of a module" in told[0]
    assert not forks("hiding")
    another = cold("one")
    assert knlite.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(another, 0)
