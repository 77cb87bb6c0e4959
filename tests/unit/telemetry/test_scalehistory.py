"""What the autoscaler has said of each revision, for whoever opens a page later."""

from datetime import UTC, datetime, timedelta

from knlite.facts import PathChanged, PreparationStep, ScaleDecided
from knlite.telemetry.scalehistory import DECISIONS, REVISIONS, ScaleHistory

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def decided(desired: int, revision: str = "web-00001", why: str = "load") -> ScaleDecided:
    return ScaleDecided(
        at=NOW + timedelta(seconds=desired),
        namespace="default",
        service="web",
        revision=revision,
        desired=desired,
        was=desired - 1,
        why=why,
    )


def step(text: str, share: float | None = None) -> PreparationStep:
    return PreparationStep(
        at=NOW, namespace="default", service="web", revision="web-00001", text=text, share=share
    )


def test_the_newest_decisions_are_kept() -> None:
    history = ScaleHistory()
    for desired in range(1, DECISIONS + 6):
        history.read(decided(desired))
    found = history.decisions("default", "web-00001")
    assert [each.desired for each in found] == list(range(6, DECISIONS + 6))
    assert history.decisions("default", "other") == ()


def test_a_step_that_goes_on_stands_once() -> None:
    history = ScaleHistory()
    for fact in (step("pulling", 0.1), step("pulling", 0.7), step("unpacking")):
        history.read(fact)
    found = history.steps("default", "web-00001")
    assert [(each.text, each.share) for each in found] == [("pulling", 0.7), ("unpacking", None)]


def test_the_path_is_the_last_one_told() -> None:
    history = ScaleHistory()
    assert history.path("default", "web-00001") is None
    for mode in ("Proxy", "Serve"):
        history.read(
            PathChanged(
                at=NOW, namespace="default", service="web", revision="web-00001",
                mode="Serve" if mode == "Serve" else "Proxy", excess=3.0, why="enough",
            )
        )  # fmt: skip
    found = history.path("default", "web-00001")
    assert found is not None
    assert found.mode == "Serve"


def test_it_forgets_those_that_are_not_heard_of() -> None:
    history = ScaleHistory()
    for number in range(REVISIONS + 1):
        history.read(decided(1, f"web-{number}"))
        history.read(decided(2, "web-0"))
    assert history.decisions("default", "web-1") == ()
    assert history.decisions("default", "web-0")
