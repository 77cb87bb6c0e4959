"""No request is cut because an instance is not wanted any more (Knative reference §3.8).

The instances end at once when they get SIGTERM, so an answer proves that they got it afterwards.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import httpx
import pytest

from tests.e2e.executable import PATIENCE, wait_until
from tests.e2e.served import RUNTIMES, Run, Served, serving

pytestmark = pytest.mark.e2e

BY_RATE: dict[str, object] = {"metric": "rps"}
"""By requests per second one that takes long soon counts nothing."""
REPLACED = Served(name="replaced", program="http1", scaling=BY_RATE)
SERVICES = (
    REPLACED,
    Served(name="quiet", program="http1", scaling=BY_RATE),
    Served(name="deleted", program="http1"),
)


@pytest.fixture(scope="module", params=RUNTIMES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    with serving(tmp_path_factory.mktemp("services"), request.param, SERVICES) as running:
        yield running


class Upload:
    """A request that is over when its client says so."""

    def __init__(self, run: Run, pool: ThreadPoolExecutor, service: str) -> None:
        self._run, self._service = run, service
        self._says: SimpleQueue[bytes | None] = SimpleQueue()
        self._says.put(b"begun")
        body = iter(self._says.get, None)
        self._answer: Future[httpx.Response] = pool.submit(run.post, service, "/upload", body)
        [line] = wait_until(lambda: run.logged(service, "begun /upload"), "the request there")
        self.instance = str(line["instance"])

    def finish(self) -> None:
        """End it, and see that it is answered and that SIGTERM comes only afterwards."""
        self._says.put(b", done")
        self._says.put(None)
        answer = self._answer.result(PATIENCE)
        assert (answer.status_code, answer.json()["bytes"]) == (200, len(b"begun, done"))
        wait_until(lambda: self.state == "gone", "the instance gone")
        said = self._run.knlite.seen("LogLine", instance=self.instance)
        assert [line["text"] for line in said] == ["begun /upload", "finished /upload", "SIGTERM"]

    def give_up(self) -> None:
        """End it, whatever becomes of it."""
        self._says.put(None)

    @property
    def state(self) -> str:
        """Of its instance."""
        return self._run.instances(self._service)[self.instance]


@pytest.fixture(scope="module")
def uploads(run: Run) -> Iterator[dict[str, Upload]]:
    """A request to each, begun together, since it takes a while until nobody is wanted."""
    begun: dict[str, Upload] = {}
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        try:
            for service in SERVICES:
                begun[service.name] = Upload(run, pool, service.name)
            yield begun
        finally:
            for upload in begun.values():
                upload.give_up()


def test_a_request_outlives_its_service(run: Run, uploads: dict[str, Upload]) -> None:
    upload = uploads["deleted"]
    url = "/apis/serving.knative.dev/v1/namespaces/default/services/deleted"
    assert run.knlite.admin.delete(url).status_code == 200
    wait_until(lambda: upload.state == "draining", "the instance draining")
    assert run.get("deleted").status_code == 404
    upload.finish()


def test_a_request_outlives_the_revision_that_it_came_to(
    run: Run, uploads: dict[str, Upload]
) -> None:
    upload = uploads["replaced"]
    run.apply(replace(REPLACED, env={"GENERATION": "2"}))

    def answered_by_the_new_revision() -> bool:
        return run.get("replaced").status_code == 200 and len(run.instances("replaced")) == 2

    wait_until(answered_by_the_new_revision, "the new revision")
    wait_until(lambda: upload.state == "draining", "the instance draining")
    upload.finish()


def test_a_request_outlives_the_scaling_down_of_its_instance(
    run: Run, uploads: dict[str, Upload]
) -> None:
    upload = uploads["quiet"]
    wait_until(lambda: upload.state == "draining", "the instance draining")
    upload.finish()
