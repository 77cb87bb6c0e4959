"""Run Knative Serving's own conformance suite, unmodified, against ``knlite up`` and an engine.

``make conformance`` builds the suite's three test binaries and its test images from the module that
``go.mod`` here pins (nothing of upstream is copied into this repository), starts ``knlite up`` with
the folder ``platform/``, points the suite at it by a kubeconfig and an ingress endpoint, and prints
what passed. Everything made lies below ``.conformance/``; the suite's own words are in
``.conformance/log/``. Needs Go (the version in ``go.mod``) and a container engine; only the Go
module proxy is asked, no image registry.

    make conformance                        all 51 tests
    make conformance RUN=TestBlueGreenRoute one of them
    make conformance SUITE=e2e              upstream's end-to-end tests, which ask for more
"""

import argparse
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE = ROOT / ".conformance"
SERVING = "knative.dev/serving/test"
GC = ("retain-since-create-time", "retain-since-last-active-time")
REPOSITORY = "knlite.test/conformance"
"""Not below ``.local``, where the suite would skip what it has to say about images."""
USER = 65532
"""``nonroot`` of the base image that upstream builds on."""
PASSWD = f"root:x:0:0::/root:/sbin/nologin\nnonroot:x:{USER}:{USER}::/home/nonroot:/sbin/nologin\n"
GROUP = f"root:x:0:\nnonroot:x:{USER}:\n"
Result = tuple[str, str, str, float]
"""Suite, test, ``pass``, ``fail`` or ``skip``, and seconds."""
PLATFORM = {
    # As upstream sets them for its own runs.
    "config-deployment.progress-deadline": "120s",
    "config-network.autocreate-cluster-domain-claims": "true",
}


@dataclass(frozen=True)
class Suite:
    """A package of tests, and the settings that upstream's own runs give the platform for it."""

    package: str
    tags: str = "e2e"
    name: str = "config-features"
    """Of the ConfigMap with the settings."""
    settings: dict[str, str] = field(default_factory=dict)


CONFORMANCE = {
    "api-v1": Suite("conformance/api/v1"),
    "api-v1beta1": Suite("conformance/api/v1beta1"),
    "runtime": Suite("conformance/runtime"),
}
SUITES = CONFORMANCE | {
    "e2e": Suite("e2e"),
    "e2e-gc": Suite(
        "e2e/gc",
        name="config-gc",
        settings=dict.fromkeys(GC, "disabled")
        | {"min-non-active-revisions": "0", "max-non-active-revisions": "0"},
    ),
    "e2e-hpa": Suite("e2e", tags="e2e hpa"),
    "e2e-initcontainers": Suite(
        "e2e/initcontainers", settings={"kubernetes.podspec-init-containers": "Enabled"}
    ),
    "e2e-initscale": Suite(
        "e2e/initscale",
        name="config-autoscaler",
        settings={"allow-zero-initial-scale": "true"},
    ),
    "e2e-multicontainerprobing": Suite(
        "e2e/multicontainerprobing", settings={"multi-container-probing": "Enabled"}
    ),
    "e2e-pvc": Suite(
        "e2e/pvc",
        settings={
            "kubernetes.podspec-persistent-volume-claim": "Enabled",
            "kubernetes.podspec-persistent-volume-write": "Enabled",
            "kubernetes.podspec-securitycontext": "Enabled",
        },
    ),
    "e2e-securedefaults": Suite("e2e/securedefaults", settings={"secure-pod-defaults": "Enabled"}),
    "e2e-tagheader": Suite("e2e/tagheader", settings={"tag-header-based-routing": "Enabled"}),
}
UP_WITHIN = 30.0
"""Seconds until the API must answer."""


def main() -> int:
    options = argparse.ArgumentParser(description="Knative Serving's conformance suite.")
    options.add_argument("--run", default="", help="tests to run, as for go test -run")
    options.add_argument("--parallel", type=int, default=4, help="tests at a time")
    options.add_argument("--suite", choices=sorted(SUITES), action="append", help="only this part")
    options.add_argument("--keep", action="store_true", help="use what was built before")
    chosen = options.parse_args()
    # What has been started is stopped in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    suites = chosen.suite or list(CONFORMANCE)
    if not chosen.keep:
        build(suites)
    (MADE / "log").mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    with platform() as (api, log):
        say(f"knlite's own words are in {log}")
        kubeconfig = kubeconfig_of(api)
        for suite in suites:
            before = configure(api, SUITES[suite].name, SUITES[suite].settings)
            results += run(suite, kubeconfig, chosen.run, chosen.parallel)
            configure(api, SUITES[suite].name, before)
    return table(results)


def say(text: str) -> None:
    sys.stderr.write(f"== {text}\n")


# Building


def build(suites: list[str]) -> None:
    """The suite's binaries, and an image for each of its test programs."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    (MADE / "bin").mkdir(parents=True, exist_ok=True)
    for suite in suites:
        say(f"building the suite {suite}")
        package = f"{SERVING}/{SUITES[suite].package}"
        binary = str(MADE / "bin" / f"{suite}.test")
        command = ["go", "test", "-c", f"-tags={SUITES[suite].tags}", "-o", binary, package]
        subprocess.run(command, cwd=HERE, env=environment, check=True)
    say("building the test images")
    (MADE / "images").mkdir(exist_ok=True)
    programs = subprocess.run(
        ["go", "list", "-f", "{{.ImportPath}}", "tool"],
        cwd=HERE, env=environment, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", f"{MADE / 'images'}/", *programs]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    for program in sorted(programs):
        load(MADE / "images" / program.rsplit("/", 1)[1])


def load(program: Path) -> None:
    """Give the engine an image of one static program, laid out as upstream's ``ko`` lays it out."""
    image = f"{REPOSITORY}/{program.name}:latest"
    binary = program.read_bytes()
    digest = hashlib.sha256(binary + PASSWD.encode()).hexdigest()
    command = ["docker", "image", "inspect", "-f", '{{index .Config.Labels "digest"}}', image]
    there = subprocess.run(command, capture_output=True, text=True, check=False)
    if there.stdout.strip() == digest:
        return
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder, mode, owner in (
            ("etc", 0o755, 0), ("home", 0o755, 0), ("home/nonroot", 0o700, USER),
            ("ko-app", 0o755, 0), ("tmp", 0o1777, 0),
        ):  # fmt: skip
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
            tar.addfile(entry)
        for path, mode, content in (
            ("etc/passwd", 0o644, PASSWD.encode()),
            ("etc/group", 0o644, GROUP.encode()),
            (f"ko-app/{program.name}", 0o755, binary),
        ):
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = mode, len(content)
            tar.addfile(entry, io.BytesIO(content))
    changes = [
        f'ENTRYPOINT ["/ko-app/{program.name}"]',
        f"USER {USER}",
        "WORKDIR /home/nonroot",
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/ko-app",
        f"LABEL digest={digest}",
    ]
    arguments = [word for change in changes for word in ("--change", change)]
    command = ["docker", "import", *arguments, "-", image]
    subprocess.run(command, input=archive.getvalue(), stdout=subprocess.DEVNULL, check=True)


# Running


@contextmanager
def platform() -> Iterator[tuple[str, Path]]:
    """``knlite up``; gives the address of its API, and the file with what it says."""
    port, admin_port = free_port(), free_port()
    log = MADE / "log" / "knlite.json"
    settings = [word for key, value in PLATFORM.items() for word in ("--set", f"{key}={value}")]
    command = [
        sys.executable, "-m", "knlite", "up", str(HERE / "platform"), "--runtime", "docker",
        "--json", "--port", str(port), "--admin-port", str(admin_port), *settings,
    ]  # fmt: skip
    with log.open("w") as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT)
        try:
            api = f"http://127.0.0.1:{admin_port}"
            wait_for_api(process, api, log)
            yield api, log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_for_api(process: "subprocess.Popen[bytes]", api: str, log: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while True:
        try:
            with urllib.request.urlopen(f"{api}/version", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"knlite did not come up; it said:\n{log.read_text()}")
            time.sleep(0.1)


def configure(api: str, name: str, settings: Mapping[str, str | None]) -> dict[str, str | None]:
    """Change settings of a ConfigMap; returns what takes the change back."""
    if not settings:
        return {}
    url = f"{api}/api/v1/namespaces/knative-serving/configmaps/{name}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        before = json.load(answer).get("data", {})
    body = json.dumps({"data": settings}).encode()
    headers = {"Content-Type": "application/merge-patch+json"}
    urllib.request.urlopen(
        urllib.request.Request(url, body, headers, method="PATCH"), timeout=5
    ).close()
    return {key: before.get(key) for key in settings}


def kubeconfig_of(api: str) -> Path:
    path = MADE / "kubeconfig.json"
    cluster = {"server": api}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "knlite", "cluster": cluster}],
        "contexts": [{"name": "knlite", "context": {"cluster": "knlite"}}],
        "current-context": "knlite",
    }
    path.write_text(json.dumps(content))
    return path


def run(suite: str, kubeconfig: Path, pattern: str, parallel: int) -> list[Result]:
    """Run one of the binaries, and tell of its tests as they end."""
    say(f"running {suite}")
    log = MADE / "log" / f"{suite}.json"
    command = [
        "go", "tool", "test2json", "-t", str(MADE / "bin" / f"{suite}.test"), "-test.v=test2json",
        f"-test.parallel={parallel}", "-test.timeout=40m", f"-test.run={pattern}",
        f"-kubeconfig={kubeconfig}", "-ingressendpoint=127.0.0.1", f"-dockerrepo={REPOSITORY}",
        "-enable-beta", "-enable-alpha",
    ]  # fmt: skip
    found = []
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        log.open("w") as words,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            words.write(line)
            event = json.loads(line)
            if "Test" in event and event["Action"] in {"pass", "fail", "skip"}:
                name = event["Test"]
                found.append((suite, name, event["Action"], event.get("Elapsed", 0.0)))
                if "/" not in name:
                    say(f"{event['Action']:4} {event.get('Elapsed', 0.0):6.1f} s  {name}")
    if process.returncode not in {0, 1}:
        say(f"the suite {suite} broke off; see {log}")
    return found


def table(results: list[Result]) -> int:
    """Print every test, and for a failed one its failed parts; returns the exit code."""
    whole = [each for each in results if "/" not in each[1]]
    for suite, name, outcome, seconds in sorted(results):
        if "/" not in name or outcome == "fail":
            sys.stdout.write(f"{outcome:5} {suite:12} {seconds:7.1f} s  {name}\n")
    passed = sum(outcome == "pass" for _, _, outcome, _ in whole)
    sys.stdout.write(f"{passed} of {len(whole)} passed\n")
    return 0 if whole and passed == len(whole) else 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
