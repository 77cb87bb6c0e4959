"""The event log from the command line: send, events, explain, dead letters, replay."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.executable import PATIENCE, ROOT, Knlite, wait_until

pytestmark = pytest.mark.e2e


class Subscriber(ThreadingHTTPServer):
    """Takes events; refuses those that are sent to ``/fail``, unless it is told to take them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, str]] = []
        self.takes_all = False

    def handle_error(self, *_: object) -> None:
        """A run that was killed does not wait for its answers."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Subscriber

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.got.append((self.path, self.headers["Ce-Id"]))
        fails = self.path == "/fail" and not self.server.takes_all
        body = b"no room" if fails else b""
        self.send_response(507 if fails else 202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def manifests(folder: Path, url: str) -> Path:
    def trigger(name: str, path: str, wanted: str = "", **delivery: Any) -> dict[str, Any]:
        spec: dict[str, Any] = {"broker": "default", "subscriber": {"uri": f"{url}{path}"}}
        if wanted:
            spec["filter"] = {"attributes": {"type": wanted}}
        return {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": name},
            "spec": {**spec, **({"delivery": delivery} if delivery else {})},
        }

    broker = {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": "default"},
    }
    later = trigger("later", "/", "later")
    later["spec"]["subscriber"] = {
        "ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "nobody"}
    }
    documents = [
        broker,
        trigger("good", "/good", "order"),
        trigger("bad", "/fail", "bad", deadLetterSink={"uri": f"{url}/sink"}),
        later,
    ]
    path = folder / "events.yaml"
    path.write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")
    return path


@contextmanager
def running(*arguments: str) -> Iterator[Knlite]:
    knlite = Knlite(*arguments, "--runtime", "process")
    try:
        yield knlite.settled()
    finally:
        knlite.stop()


def start(knlite: Knlite, *arguments: str) -> "subprocess.Popen[str]":
    environ = {**os.environ, "KNLITE_ADMIN_PORT": str(knlite.admin_port), "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "-m", "knlite", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ,
    )


def ask(knlite: Knlite, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a verb."""
    process = start(knlite, *arguments)
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


def sent(knlite: Knlite, kind: str, event: str, data: str = "") -> None:
    """An event has been sent, and all its deliveries have ended."""
    headers = {"Ce-Specversion": "1.0", "Ce-Id": event, "Ce-Source": "/s", "Ce-Type": kind}
    answer = knlite.admin.post("/knlite/events", headers=headers, content=data.encode())
    knlite.admin.get(f"/knlite/events/{answer.json()['arrival']}", params={"wait": "60"})


def test_what_send_says_of_who_got_it(tmp_path: Path, subscriber: Subscriber) -> None:
    with running(str(manifests(tmp_path, subscriber.url))) as knlite:
        code, output, _ = ask(knlite, "send", "--type", "order", "--id", "e1", "--data", "{}")
        assert (code, "1 of 3 want it" in output) == (0, True)
        code, output, _ = ask(knlite, "send", "--type", "order", "--id", "e2", "--wait")
        assert (code, "202" in output) == (0, True)
        assert ("/good", "e2") in subscriber.got
        code, output, _ = ask(knlite, "send", "--type", "bad", "--id", "e3", "--wait")
        assert (code, "no room" in output) == (1, True)
        code, output, _ = ask(knlite, "send", "--type", "other", "--id", "e4")
        assert (code, 'type is "other", and "order" is wanted' in output) == (5, True)
        code, *_ = ask(knlite, "send", "--type", "later", "--id", "e5", "--wait", "--timeout", "1")
        assert code == 6
        assert ask(knlite, "send", "--to", f"{subscriber.url}/direct", "--id", "e6")[0] == 0
        assert ask(knlite, "send", "--to", f"{subscriber.url}/fail", "--id", "e7")[0] == 1
        assert ask(knlite, "send", "--broker", "nowhere")[0] == 3
        assert ask(knlite, "send", "--ext", "Bad-Name=1")[0] == 2
        assert ask(knlite, "send", "--data", "@/does/not/exist")[0] == 2

        code, output, _ = ask(knlite, "events")
        assert code == 0
        listed = [line.split()[-1] for line in output.splitlines()]
        assert listed == ["ID", "e1", "e2", "e3", "e4", "e5"]
        code, output, _ = ask(knlite, "events", "--type", "bad", "--json")
        assert [each["state"] for each in json.loads(output)] == ["dead-lettered"]


def test_an_event_is_explained_before_and_after_it_is_sent(
    tmp_path: Path, subscriber: Subscriber
) -> None:
    event = tmp_path / "event.txt"
    event.write_text('{"specversion":"1.0","id":"x","source":"/s","type":"order"}')
    with running(str(manifests(tmp_path, subscriber.url))) as knlite:
        code, output, _ = ask(knlite, "explain", "--dry-run", str(event))
        assert (code, "1 of 3 would get it; nothing was sent" in output) == (0, True)
        assert subscriber.got == []
        event.write_text('{"specversion":"1.0","id":"x","source":"/s","type":"other"}')
        assert ask(knlite, "explain", "--dry-run", str(event))[0] == 5
        code, _, errors = ask(knlite, "explain", "x")
        assert (code, 'no event "x" is in the log' in errors) == (3, True)
        sent(knlite, "order", "x")
        code, output, _ = ask(knlite, "explain", "x", "--json")
        (story,) = json.loads(output)
        assert (code, story["state"], story["sender"]) == (0, "delivered", "knlite send")
        assert [(row["name"], row["matched"]) for row in story["rows"]] == [
            ("bad", False),
            ("good", True),
            ("later", False),
        ]


def test_dead_letters_are_sent_again_when_a_person_says_so(
    tmp_path: Path, subscriber: Subscriber
) -> None:
    with running(str(manifests(tmp_path, subscriber.url))) as knlite:
        sent(knlite, "bad", "d1", "precious")
        code, output, _ = ask(knlite, "dead-letters", "list")
        assert (code, "d1" in output, "507 no room" in output) == (0, True, True)
        assert "precious" in ask(knlite, "dead-letters", "show", "d1")[1]
        assert ask(knlite, "dead-letters", "show", "d2")[0] == 3
        assert ask(knlite, "dead-letters", "redrive")[0] == 2
        before = len(subscriber.got)
        assert "nothing was sent" in ask(knlite, "dead-letters", "redrive", "d1", "--dry-run")[1]
        assert len(subscriber.got) == before
        subscriber.takes_all = True
        code, output, _ = ask(knlite, "dead-letters", "redrive", "--all")
        assert (code, "1 of 1 sent again" in output) == (0, True)
        wait_until(lambda: ("/fail", "d1") in subscriber.got[before:], "the redriven event")
        wait_until(
            lambda: (
                knlite.admin.get("/knlite/dead-letters").json()["deadLetters"][0]["againState"]
                == "delivered"
            ),
            "its repetition's end",
        )
        assert "0 of 1 sent again" in ask(knlite, "dead-letters", "redrive", "--all")[1]

        code, output, _ = ask(knlite, "replay", "--since", "1h", "--to", f"{subscriber.url}/copy")
        assert (code, subscriber.got[-1]) == (0, ("/copy", "d1"))
        assert ask(knlite, "replay")[0] == 2
        assert ask(knlite, "replay", "d1", "--trigger", "nowhere")[0] == 3


def test_who_follows_sees_events_until_ctrl_c(tmp_path: Path, subscriber: Subscriber) -> None:
    with running(str(manifests(tmp_path, subscriber.url))) as knlite:
        sent(knlite, "order", "f1")
        following = start(knlite, "events", "-f", "--json")
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["id"] == "f1"
        sent(knlite, "order", "f2")
        states = []
        while "delivered" not in states:
            event = json.loads(following.stdout.readline())
            assert event["id"] == "f2"
            states.append(event["state"])
        following.send_signal(signal.SIGINT)
        output, errors = following.communicate(timeout=PATIENCE)
        assert (following.returncode, output, errors) == (0, "", "")


def test_the_log_survives_the_run(tmp_path: Path, subscriber: Subscriber) -> None:
    path, data = manifests(tmp_path, subscriber.url), tmp_path / "data"
    with running(str(path), "--data-dir", str(data)) as knlite:
        sent(knlite, "order", "s1")
        sent(knlite, "bad", "s2")
        knlite.stop(signal.SIGKILL)
    with running(str(path), "--data-dir", str(data)) as knlite:

        def ended() -> bool:
            output = ask(knlite, "events", "--json")[1]
            return [(each["id"], each["state"]) for each in json.loads(output)] == [
                ("s1", "delivered"),
                ("s2", "dead-lettered"),
            ]

        wait_until(ended, "both events, the second perhaps tried again")
        (story,) = json.loads(ask(knlite, "explain", "s2", "--json")[1])
        rows = {row["name"]: row for row in story["rows"]}
        assert rows["good"]["why"] == 'type is "bad", and "order" is wanted'
        attempts = [(each["status"], each["again"]) for each in rows["bad"]["attempts"]]
        assert attempts[:2] == [(507, False), (202, False)]
        # What the first run had not yet noted as done is tried again, and says so.
        assert all(again for _, again in attempts[2:])
        subscriber.takes_all = True
        assert ask(knlite, "dead-letters", "redrive", "s2")[0] == 0


def test_every_event_with_a_202_is_explained_after_kill_9(
    tmp_path: Path, subscriber: Subscriber
) -> None:
    path, data = manifests(tmp_path, subscriber.url), tmp_path / "data"
    taken: list[str] = []
    with running(str(path), "--data-dir", str(data)) as knlite:

        def send(sender: int) -> None:
            headers = {"Ce-Specversion": "1.0", "Ce-Source": "/s", "Ce-Type": "order"}
            for number in range(100_000):
                event = f"{sender}-{number}"
                try:
                    answer = knlite.http.post(
                        "/ns/default/brokers/default", headers={**headers, "Ce-Id": event}
                    )
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    taken.append(event)

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(taken) > 200, "a stream of events")
        knlite.process.kill()
        for thread in threads:
            thread.join()
    with running(str(path), "--data-dir", str(data)) as knlite:

        def states() -> dict[str, str]:
            listed = knlite.admin.get("/knlite/events", params={"limit": 10_000}).json()["events"]
            return {each["id"]: each["state"] for each in listed}

        wait_until(lambda: {states().get(event) for event in taken} == {"delivered"}, "all")
        assert set(taken) <= {event for _, event in subscriber.got}
