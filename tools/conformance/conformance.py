"""Run Knative Serving's own tests, unmodified, against ``knlite up`` and an engine.

``make conformance`` builds the suites' binaries and test images from the module that ``go.mod``
here pins (nothing of upstream is copied into this repository), starts ``knlite up`` with the folder
``platform/``, points the suites at it by a kubeconfig and an ingress endpoint, and prints what
passed. Everything made lies below ``.conformance/``: the suites' own words in ``log/``, and in
``results.md`` a table of what each test did when it ran last. Needs Go (the version in ``go.mod``)
and a container engine; only the Go module proxy is asked, no image registry.

    make conformance                        all 51 tests of the conformance suite
    make conformance RUN=TestBlueGreenRoute one of them
    make conformance SUITE=e2e              upstream's end-to-end tests
    make conformance SUITE=e2e-gc           a part of them, see suites.py
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
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from suites import GROUPS, SERVING, SUITES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE = ROOT / ".conformance"
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
CLAIMED = "knlite.serving-tests.knative-pv-claim"
UP_WITHIN = 30.0
"""Seconds until the API must answer."""


def main() -> int:
    options = argparse.ArgumentParser(description="Knative Serving's own tests.")
    options.add_argument("--run", default="", help="tests to run, as for go test -run")
    options.add_argument("--parallel", type=int, default=4, help="tests at a time")
    options.add_argument(
        "--suite", choices=[*SUITES, *GROUPS], default="conformance", help="what to run"
    )
    options.add_argument("--keep", action="store_true", help="use what was built before")
    chosen = options.parse_args()
    # What has been started is stopped in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    suites = GROUPS.get(chosen.suite, [chosen.suite])
    if not chosen.keep:
        build(suites)
    (MADE / "log").mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    with platform() as (kubeconfig, log):
        say(f"knlite's own words are in {log}")
        for suite in suites:
            with settings(kubeconfig, SUITES[suite].settings):
                results += run(suite, kubeconfig, chosen.run, chosen.parallel)
    remember(results)
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
        command = ["go", "test", "-c", f"-tags={SUITES[suite].tag}", "-o", binary, package]
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
def platform() -> Iterator[tuple[Path, Path]]:
    """``knlite up``; gives the kubeconfig that points at it, and the file with what it says."""
    port, admin_port, tls_port = free_port(), free_port(), free_port()
    log = MADE / "log" / "knlite.json"
    config = [word for key, value in PLATFORM.items() for word in ("--set", f"{key}={value}")]
    command = [
        sys.executable, "-m", "knlite", "up", str(HERE / "platform"), "--runtime", "docker",
        "--json", "--port", str(port), "--admin-port", str(admin_port),
        "--tls-port", str(tls_port), *config,
    ]  # fmt: skip
    with log.open("w") as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT)
        try:
            wait_for_api(process, admin_port, log)
            yield kubeconfig_of(admin_port), log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            # What platform/ claims outlives the run, as claimed storage does.
            subprocess.run(
                ["docker", "volume", "rm", "-f", CLAIMED], stdout=subprocess.DEVNULL, check=False
            )


def wait_for_api(process: "subprocess.Popen[bytes]", admin_port: int, log: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while True:
        try:
            url = f"http://127.0.0.1:{admin_port}/version"
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"knlite did not come up; it said:\n{log.read_text()}")
            time.sleep(0.1)


def kubeconfig_of(admin_port: int) -> Path:
    path = MADE / "kubeconfig.json"
    cluster = {"server": f"http://127.0.0.1:{admin_port}"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "knlite", "cluster": cluster}],
        "contexts": [{"name": "knlite", "context": {"cluster": "knlite"}}],
        "current-context": "knlite",
    }
    path.write_text(json.dumps(content))
    return path


@contextmanager
def settings(kubeconfig: Path, wanted: Mapping[str, str]) -> Iterator[None]:
    """Set keys of ConfigMaps in ``knative-serving``, and afterwards put back what was there."""
    server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    url = f"{server}/api/v1/namespaces/knative-serving/configmaps/"
    changes: dict[str, dict[str, str]] = {}
    for key, value in wanted.items():
        name, _, entry = key.partition(".")
        changes.setdefault(name, {})[entry] = value
    before = {name: call(url + name).get("data", {}) for name in changes}
    for name, data in changes.items():
        call(url + name, {"data": data})
    try:
        yield
    finally:
        for name, data in changes.items():
            call(url + name, {"data": {entry: before[name].get(entry) for entry in data}})


def call(url: str, patch: object = None) -> Any:
    """GET, or PATCH by a merge patch; returns the answer's JSON."""
    request = urllib.request.Request(url)
    if patch is not None:
        request.method, request.data = "PATCH", json.dumps(patch).encode()
        request.add_header("Content-Type", "application/merge-patch+json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def run(suite: str, kubeconfig: Path, pattern: str, parallel: int) -> list[Result]:
    """Run one of the binaries, and tell of its tests as they end."""
    say(f"running {suite}")
    log = MADE / "log" / f"{suite}.json"
    command = [
        "go", "tool", "test2json", "-t", str(MADE / "bin" / f"{suite}.test"), "-test.v=test2json",
        f"-test.parallel={parallel}", "-test.timeout=90m", f"-test.run={pattern}",
        f"-test.skip=^({'|'.join(left_out(suite))})$", f"-kubeconfig={kubeconfig}",
        "-ingressendpoint=127.0.0.1", f"-dockerrepo={REPOSITORY}", "-enable-beta", "-enable-alpha",
        # Some tests are for certain gateways only; nothing else comes of it.
        "-ingress-class=kourier.ingress.networking.knative.dev",
    ]  # fmt: skip
    found = []
    with stopped_after(command) as process, log.open("w") as words:
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


@cache
def offline() -> bool:
    """Whether the Internet cannot be reached, going by the host that upstream asks."""
    try:
        socket.getaddrinfo("www.google.com", 80)
    except OSError:
        return True
    return False


def left_out(suite: str) -> dict[str, str]:
    """Tests of *suite* that are not run, and why."""
    about = SUITES[suite]
    outward = about.outward if offline() else ()
    return {**about.without, **dict.fromkeys(outward, "the Internet cannot be reached here")}


@contextmanager
def stopped_after(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A running command; if the block is left early, it ends with all that it has started."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise


def table(results: list[Result]) -> int:
    """Print every test, and for a failed one its failed parts; returns the exit code."""
    whole = [each for each in results if "/" not in each[1]]
    for suite, name, outcome, seconds in sorted(results):
        if "/" not in name or outcome == "fail":
            sys.stdout.write(f"{outcome:5} {suite:12} {seconds:7.1f} s  {name}\n")
    passed = sum(outcome == "pass" for _, _, outcome, _ in whole)
    sys.stdout.write(f"{passed} of {len(whole)} passed\n")
    return 0 if whole and passed == len(whole) else 1


def remember(results: list[Result]) -> None:
    """Keep what each test did last, and write all of it as a table in ``results.md``."""
    kept = MADE / "results.json"
    known: dict[str, dict[str, str]] = json.loads(kept.read_text()) if kept.exists() else {}
    for suite, name, outcome, _ in results:
        if "/" not in name:
            known.setdefault(suite, {})[name] = outcome
    kept.write_text(json.dumps(known, indent=1, sort_keys=True))
    lines = ["| Suite | Test | Result | Note |", "|---|---|---|---|"]
    for suite, about in SUITES.items():
        absent = left_out(suite)
        outcomes = {**known.get(suite, {}), **dict.fromkeys(absent, "not run")}
        for name, outcome in sorted(outcomes.items()):
            note = absent.get(name) or about.notes.get(name, "")
            lines.append(f"| {suite} | {name} | {outcome} | {note} |")
    (MADE / "results.md").write_text("\n".join(lines) + "\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
