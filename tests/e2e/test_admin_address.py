"""The admin port off loopback: a token for everybody, and clients that know it."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.clients import client
from tests.e2e.executable import Knlite

pytestmark = pytest.mark.e2e


def test_off_loopback_only_who_knows_the_token_is_answered(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    run = up("--admin-address", "0.0.0.0", "--runtime", "process").settled()
    (settled,) = run.seen("Settled")
    kubeconfig = Path(settled["kubeconfig"])
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600

    for headers in ({}, {"Authorization": "Bearer guessed"}, {"Host": "127.0.0.1"}):
        answer = run.admin.get("/api/v1/secrets", headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")
    server = kubeconfig.read_text().partition("server: ")[2].split()[0]
    token = httpx.URL(server).password
    assert len(token) > 40
    answer = run.admin.get("/api/v1/secrets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert token not in run.stderr
    assert not any(token in str(fact) for fact in run.facts)

    assert "Active" in client("kubectl", run, tmp_path / "home")("get", "ns", "default")
    shown = subprocess.run(
        [sys.executable, "-m", "knlite", "get", "ns", "--admin-port", str(run.admin_port)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert "Active" in shown.stdout, shown.stderr

    run.stop()
    assert not kubeconfig.exists()
