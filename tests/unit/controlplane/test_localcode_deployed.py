"""Which code an object runs: what its deployment has said, else what has been saved last."""

from pathlib import Path

from msgspec.structs import replace

from knlite.controlplane.chooser import Chooser
from knlite.controlplane.localcode import LocalCode
from knlite.kinds.catalog import read
from knlite.kinds.labels import CODE, FUNCTION
from knlite.kinds.serving.service import Service
from knlite.serving.code import annotations_of, code_of
from tests.unit.fake_view import FakeView


def service(annotations: dict[str, str]) -> Service:
    template = {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [{"image": "knlite.local/web"}]},
    }
    found = read(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"template": template},
        }
    ).value
    assert isinstance(found, Service)
    return found


def test_a_deployment_says_itself_which_code_it_is_of(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text("specVersion: 0.36.0\nname: web\nruntime: python\n")
    told = {FUNCTION: str(tmp_path)}
    code = LocalCode(Chooser("process", {}), tmp_path)
    view = FakeView(service({**told, CODE: "sha256:1"}))
    again = code.stamped(service({**told, CODE: "sha256:2"}), view)
    assert isinstance(again, Service)
    assert code_of(annotations_of(again)) == "sha256:2"
    # What else is changed of it leaves its code as it is.
    other = replace(service(told), metadata=replace(again.metadata, labels={"a": "b"}))
    kept = code.stamped(other, view)
    assert isinstance(kept, Service)
    assert code_of(annotations_of(kept)) == "sha256:1"
