"""JobSinks, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (job sink). ``docs/conformance.md`` says which test here stands for
which there.
"""

import shlex
import sys
from pathlib import Path

import pytest

from tests.e2e.eventspace import Space, event
from tests.e2e.executable import wait_until

pytestmark = pytest.mark.e2e

FORWARDER = Path(__file__).parent / "services" / "forwarder" / "app.py"
OF_THE_SINK = "sinks.knative.dev/job-sink-name"


def test_a_job_sink_runs_a_job_that_sees_the_event(space: Space) -> None:
    sink = space.sink()
    command = shlex.join((sys.executable, str(FORWARDER), sink.url))
    template = {
        "metadata": {"annotations": {"knlite.dev/command": command}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "forwarder", "image": "example.com/forwarder"}],
        },
    }
    space.made("JobSink", "forwards", {"job": {"spec": {"template": template}}})
    sent = space.send("JobSink", "forwards", event())
    (got,) = sink.until()
    assert (got.event.id, got.event.type, got.event.source) == (sent.id, sent.type, sent.source)

    def completed() -> bool:
        jobs = space.objects("Job")
        conditions = [each for job in jobs for each in job["status"].get("conditions", ())]
        return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)

    wait_until(completed, "a Job that is complete")
    (secret,) = space.objects("Secret")
    assert secret["metadata"]["labels"][OF_THE_SINK] == "forwards"
    of_the_sink = {"labelSelector": f"{OF_THE_SINK}=forwards"}
    deleted = space.knlite.admin.delete(space.path("Job"), params=of_the_sink)
    assert deleted.status_code == 200
    wait_until(lambda: not space.objects("Job"), "the Jobs to go")
    wait_until(lambda: not space.objects("Secret"), "their Secrets to go with them")


def test_a_job_sink_takes_an_event_once(space: Space) -> None:
    template = {
        "metadata": {"annotations": {"knlite.dev/command": "true"}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "nothing", "image": "example.com/nothing"}],
        },
    }
    space.made("JobSink", "once", {"job": {"spec": {"template": template}}})
    sent = event()
    for _ in range(2):
        space.send("JobSink", "once", sent)
    assert len(space.objects("Job")) == 1
