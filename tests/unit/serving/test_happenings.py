"""What facts and changes mean for the objects they are about."""

from datetime import UTC, datetime

import pytest

from knlite.facts import (
    CertificateDoubted,
    InstanceChanged,
    InstanceState,
    PathChanged,
    PreparationStep,
    ProbeFailed,
    ReadyChanged,
    ReconcileFailed,
    ScaleDecided,
)
from knlite.kinds.conditions import Condition
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration, ConfigurationStatus
from knlite.serving.happenings import Telling, of_change, of_fact

AT = datetime(2026, 1, 2, tzinfo=UTC)


def told(fact: Telling) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.name, each.type, each.reason) for each in of_fact(fact)]


def instance(state: InstanceState) -> InstanceChanged:
    return InstanceChanged(
        at=AT, namespace="shop", service="web", revision="web-1", instance="p", state=state
    )


@pytest.mark.parametrize(
    ("fact", "wanted"),
    [
        pytest.param(
            ScaleDecided(
                at=AT, namespace="shop", service="web", revision="web-1", desired=3, was=1, why="x"
            ),
            [
                ("Revision", "web-1", "Normal", "ScaledUp"),
                ("Service", "web", "Normal", "ScaledUp"),
                ("Deployment", "web-1-deployment", "Normal", "ScalingReplicaSet"),
            ],
            id="scale",
        ),
        pytest.param(
            PathChanged(
                at=AT,
                namespace="shop",
                service="web",
                revision="web-1",
                mode="Serve",
                excess=1,
                why="x",
            ),
            [("Revision", "web-1", "Normal", "Path")],
            id="path",
        ),
        pytest.param(
            PreparationStep(at=AT, namespace="shop", service="", revision="web-1", text="pulls"),
            [("Revision", "web-1", "Normal", "Preparing")],
            id="preparation of a revision without a service",
        ),
        pytest.param(
            PreparationStep(
                at=AT, namespace="shop", service="", revision="web-1", text="pulls", share=0.4
            ),
            [],
            id="a step that goes on has been told when it began",
        ),
        pytest.param(
            ReadyChanged(
                at=AT, kind="Broker", namespace="shop", name="b", status="True", reason="",
                message="",
            ),
            [("Broker", "b", "Normal", "Ready")],
            id="ready",
        ),
        pytest.param(
            ReadyChanged(
                at=AT, kind="Service", namespace="shop", name="web", status="False",
                reason="RevisionFailed", message="no",
            ),
            [("Service", "web", "Warning", "RevisionFailed")],
            id="not ready",
        ),
        pytest.param(
            ReadyChanged(
                at=AT, kind="Service", namespace="shop", name="web", status="Unknown", reason="",
                message="",
            ),
            [],
            id="not decided",
        ),
        pytest.param(
            ReconcileFailed(at=AT, kind="Route", namespace="shop", name="web", why="broken"),
            [("Route", "web", "Warning", "InternalError")],
            id="internal error",
        ),
        pytest.param(instance("starting"), [("Pod", "p", "Normal", "Created")], id="starting"),
        pytest.param(instance("draining"), [("Pod", "p", "Normal", "Killing")], id="draining"),
        pytest.param(instance("started"), [("Pod", "p", "Normal", "Started")], id="started"),
        pytest.param(instance("waiting"), [("Pod", "p", "Warning", "BackOff")], id="waiting"),
        pytest.param(instance("gone"), [], id="gone"),
        pytest.param(
            ProbeFailed(
                at=AT, namespace="shop", service="web", revision="web-1", instance="p",
                container="user-container", probe="Liveness", why="500",
            ),
            [("Pod", "p", "Warning", "Unhealthy")],
            id="probe",
        ),
        pytest.param(
            CertificateDoubted(
                at=AT, namespace="shop", host="a.example.org", secret="s", why="expired"
            ),
            [("DomainMapping", "a.example.org", "Warning", "CertificateDoubtful")],
            id="certificate",
        ),
        pytest.param(
            instance("failed"),
            [
                ("Pod", "p", "Warning", "Failed"),
                ("Revision", "web-1", "Warning", "InstanceFailed"),
                ("Service", "web", "Warning", "InstanceFailed"),
            ],
            id="failed",
        ),
    ],
)  # fmt: skip
def test_a_fact_is_told_of_those_it_concerns(
    fact: Telling, wanted: list[tuple[str, str, str, str]]
) -> None:
    assert told(fact) == wanted


def configuration(
    latest: str = "", created: str = "", ready: Condition | None = None
) -> Configuration:
    return Configuration(
        metadata=ObjectMeta(name="web", namespace="shop"),
        status=ConfigurationStatus(
            latest_ready_revision_name=latest,
            latest_created_revision_name=created,
            conditions=(ready,) if ready else (),
        ),
    )


def test_a_configuration_tells_of_its_first_ready_revision_and_of_each_later_one() -> None:
    none, first, second = configuration(), configuration("web-1"), configuration("web-2")
    assert [h.reason for h in of_change(none, first)] == ["ConfigurationReady", "LatestReadyUpdate"]
    assert [h.message for h in of_change(first, second)] == [
        'LatestReadyRevisionName updated to "web-2"'
    ]
    assert not list(of_change(second, second))


def test_a_configuration_tells_once_that_its_newest_revision_has_failed() -> None:
    failed = Condition(type="Ready", status="False", reason="RevisionFailed", message="no")
    before = configuration("web-1", "web-2")
    after = configuration("web-1", "web-2", failed)
    (told,) = of_change(before, after)
    assert (told.type, told.reason) == ("Warning", "LatestCreatedFailed")
    assert told.message == 'Latest created revision "web-2" has failed'
    assert not list(of_change(after, after))
