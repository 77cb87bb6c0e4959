"""Which revisions that reloading has made go at once."""

import pytest
from msgspec.structs import replace

from knlite.kinds.conditions import Condition
from knlite.kinds.labels import CODE, CONFIGURATION_GENERATION, NO_GC, ROUTING_STATE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration, ConfigurationStatus
from knlite.kinds.serving.revision import Revision, RevisionSpec, RevisionStatus
from knlite.serving.superseded import KEPT, superseded

WEB = Configuration(
    metadata=ObjectMeta(name="web"),
    status=ConfigurationStatus(latest_ready_revision_name="web-3"),
)


def revision(
    generation: int,
    ready: str = "True",
    state: str = "reserve",
    code: str = "sha256:1",
    **more: str,
) -> Revision:
    return Revision(
        metadata=ObjectMeta(
            name=f"web-{generation}",
            labels={CONFIGURATION_GENERATION: str(generation), ROUTING_STATE: state},
            annotations={**({CODE: code} if code else {}), **more},
        ),
        status=RevisionStatus(conditions=(Condition(type="Ready", status=ready),)),
    )


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        pytest.param(revision(2, "False"), True, id="it could not start"),
        pytest.param(revision(2, "Unknown"), True, id="it is still starting"),
        pytest.param(revision(2, "Unknown", "pending"), True, id="no Route has looked at it"),
        pytest.param(revision(2, "Unknown", "active"), False, id="in use"),
        pytest.param(revision(2, "True"), False, id="it was ready once"),
        pytest.param(revision(9, "False"), False, id="the newest"),
        pytest.param(revision(3, "False"), False, id="the latest that was ready"),
        pytest.param(revision(2, "False", code=""), False, id="made by a person"),
        pytest.param(revision(2, "False", **{NO_GC: "true"}), False, id="kept by its author"),
    ],
)
def test_what_goes(one: Revision, goes: bool) -> None:
    assert (one in superseded(WEB, (one, revision(9, "Unknown", "active")))) is goes


def test_the_last_few_that_were_ready_are_kept() -> None:
    revisions = [revision(number) for number in range(10, 20)]
    newest = revision(20, state="active")
    gone = superseded(WEB, (*revisions, newest))
    assert [each.metadata.name for each in gone] == [f"web-{n}" for n in range(19 - KEPT, 9, -1)]


def test_deployments_and_changes_of_the_manifest_are_for_people_to_go_back_to() -> None:
    deployed = [
        replace(revision(number), spec=RevisionSpec(timeout_seconds=number))
        for number in range(10, 20)
    ]
    assert superseded(WEB, (*deployed, revision(20, state="active"))) == ()
