import pytest

from knlite.facts import (
    ColdStart,
    EventRefused,
    Fact,
    InstanceChanged,
    Notice,
    PreparationStep,
    ReadyChanged,
    ReconcileFailed,
    ScaleDecided,
)
from knlite.telemetry.live.notices import KEPT, LONGEST, Notices, told
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.live.looked import NOW, Stage, messages

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


def ready(status: str, message: str = "") -> ReadyChanged:
    return ReadyChanged(
        at=NOW,
        kind="Service",
        namespace="default",
        name="web",
        status=status,
        reason="RevisionFailed",
        message=message,
    )


def failed(state: str = "failed") -> InstanceChanged:
    assert state in {"failed", "ready"}
    return InstanceChanged(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance="web-1",
        state="failed" if state == "failed" else "ready",
        why="exit status 1",
    )


SCALED = ScaleDecided(
    at=NOW,
    namespace="default",
    service="web",
    revision="web-00001",
    desired=3,
    was=1,
    why="200 requests at once",
    panic=True,
)
COLD = ColdStart(
    at=NOW,
    namespace="default",
    service="web",
    revision="web-00001",
    instance="web-1",
    queued=0.001,
    started=0.1,
    ready=0.2,
    first_byte=0.3,
)
REFUSED = EventRefused(
    at=NOW, kind="Broker", namespace="ns", name="b", status=400, why="no id", event_id=""
)


@pytest.mark.parametrize(
    ("fact", "level", "about", "words"),
    [
        (ready("False", "boom"), "warning", "Service/default/web", "boom"),
        (ready("True"), "info", "Service/default/web", "Service is ready"),
        (SCALED, "info", "Service/default/web", "1 → 3 instances, in panic mode"),
        (COLD, "info", "Service/default/web", "cold start 300 ms"),
        (REFUSED, "warning", "Broker/ns/b", "refused with 400: no id"),
        (failed(), "error", "Service/default/web", "web-1 failed: exit status 1"),
        (Notice(at=NOW, level="error", text="disk full"), "error", "", "disk full"),
        (
            ReconcileFailed(at=NOW, kind="Route", namespace="default", name="web", why="no way"),
            "warning",
            "Route/default/web",
            "no way",
        ),
        (
            PreparationStep(at=NOW, namespace="d", service="w", revision="w-1", text="installing"),
            "info",
            "Service/d/w",
            "installing",
        ),
    ],
)
def test_a_fact_is_a_sentence_about_an_object(
    fact: Fact, level: str, about: str, words: str
) -> None:
    found = told(fact)
    assert (found.level, found.object) == (level, about)
    assert words in found.text
    assert found.kind == type(fact).__name__


def test_a_sentence_without_end_is_cut() -> None:
    assert len(told(Notice(at=NOW, level="info", text="x" * 10_000)).text) == LONGEST


async def test_who_looks_gets_the_last_sentences_and_then_each_new_one() -> None:
    stage = Stage()
    notices = Notices(stage.live)
    for number in range(KEPT + 5):
        notices.read(Notice(at=NOW, level="info", text=str(number)))
    notices.read(failed("ready"))
    notices.read(ready("Unknown"))
    with stage.live.looking(["notices"]) as looker:
        ((_, data),) = messages(looker)
        assert [each["text"] for each in data["items"]] == [str(n) for n in range(5, KEPT + 5)]
    with stage.looking("notices") as sight:
        notices.read(failed())
        assert [each["kind"] for each in (await sight.next())["items"]] == ["InstanceChanged"]
