from typing import Any

import pytest
from msgspec.structs import replace

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.fielderror import rendered


def claim(**spec: Any) -> PersistentVolumeClaim:
    given = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        **spec,
    }
    meta = {"name": "data", "namespace": "default"}
    found = read(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": given}
    ).value
    assert isinstance(found, PersistentVolumeClaim)
    return found


def test_a_claim_is_bound_at_once_to_a_volume_of_its_name() -> None:
    outcome = admit(claim(), None, Config(), "me")
    assert isinstance(outcome, Admitted)
    obj = outcome.obj
    assert isinstance(obj, PersistentVolumeClaim)
    assert (obj.spec.volume_name, obj.spec.volume_mode) == ("knlite.default.data", "Filesystem")
    assert obj.status.phase == "Bound"
    assert obj.status.capacity == {"storage": "1Gi"}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"accessModes": []}, "missing field(s): spec.accessModes"),
        ({"accessModes": ["Any"]}, "invalid value: Any: spec.accessModes[0]"),
        ({"resources": {}}, "missing field(s): spec.resources.requests.storage"),
        (
            {"resources": {"requests": {"storage": "much"}}},
            "invalid value: much: spec.resources.requests.storage",
        ),
        ({"volumeMode": "Block"}, "there are no volumes of the mode Block here: spec.volumeMode"),
        ({"volumeName": "x"}, "a volume cannot be chosen here: leave it out: spec.volumeName"),
    ],
)
def test_what_a_claim_must_and_cannot_say(spec: dict[str, Any], why: str) -> None:
    outcome = admit(claim(**spec), None, Config(), "me")
    assert isinstance(outcome, Denied)
    assert rendered(outcome.errors) == why


def test_only_its_requests_may_change() -> None:
    outcome = admit(claim(), None, Config(), "me")
    assert isinstance(outcome, Admitted)
    old = outcome.obj
    assert isinstance(old, PersistentVolumeClaim)
    more = claim(resources={"requests": {"storage": "2Gi"}})
    changed = replace(old, spec=replace(old.spec, resources=more.spec.resources))
    assert isinstance(admit(changed, old, Config(), "me"), Admitted)
    other = replace(old, spec=replace(old.spec, storage_class_name="fast"))
    outcome = admit(other, old, Config(), "me")
    assert isinstance(outcome, Denied)
    assert "immutable" in rendered(outcome.errors)
