"""``knlite prune`` on the real executable: what runs stays, what nobody uses goes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.executable import ROOT, Knlite

pytestmark = pytest.mark.e2e

SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: greet}
spec:
  template:
    spec:
      containers: [{image: example.com/prune/greet}]
"""
FUNC = "def main(context):\n    return 'hello', 200\n"
PROJECT = "name: greet\nruntime: python\nimage: example.com/prune/greet\n"


def prune(home: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "knlite", "prune", *options],
        env={**os.environ, "XDG_CACHE_HOME": str(home), "DOCKER_HOST": "unix:///nowhere"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def unused(home: Path) -> list[str]:
    done = prune(home, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return [str(each["name"]) for each in document["unused"]]


def test_what_a_running_knlite_uses_stays_until_it_ends(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / "greet").mkdir(parents=True)
    (project / "greet.yaml").write_text(SERVICE)
    (project / "greet/func.yaml").write_text(PROJECT)
    (project / "greet/func.py").write_text(FUNC)
    old = home / "knlite/environments/old"
    old.mkdir(parents=True)
    (old / "file").write_text("x" * 100_000)
    run = Knlite(str(project), "--runtime", "process", env={"XDG_CACHE_HOME": str(home)})
    try:
        run.settled()
        (source,) = (home / "knlite/sources").iterdir()
        assert unused(home) == ["environments/old"]
        assert prune(home).returncode == 2
        shown = prune(home, "--yes")
        assert shown.returncode == 0, shown.stderr
        assert "Python environments" in shown.stdout
        assert "Removed 1" in shown.stdout
        assert not old.exists()
        answer = run.http.get("/", headers={"Host": "greet.default.localhost"})
        assert answer.text == "hello"
    finally:
        run.stop()
    shown = prune(home, "--yes")
    assert "Images are left out" in shown.stdout
    assert "Removed 1" in shown.stdout
    assert not source.exists()
