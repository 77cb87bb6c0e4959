"""How a Go function is compiled; Knative Functions reference §4.2."""

from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions.golang import GoPlan, plan

HANDLE = "package function\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n"
NEW = "package function\n\nfunc New() *F { return &F{} }\n\nfunc (f *F) Handle(w W) {}\n"
SDK = "module function\n\nrequire github.com/cloudevents/sdk-go/v2 v2.15.2\n"


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "invoke", "planned"),
    [
        pytest.param(
            {"go.mod": "module function\n", "handle.go": HANDLE, "x_test.go": NEW},
            "http",
            GoPlan(module="function", symbol="Handle", events=False),
            id="a function",
        ),
        pytest.param(
            {"go.mod": "// c\nmodule example.com/f // x\n", "f.go": NEW},
            "http",
            GoPlan(module="example.com/f", symbol="New", events=False),
            id="an instance",
        ),
        pytest.param(
            {"go.mod": SDK, "f.go": HANDLE},
            "cloudevent",
            GoPlan(module="function", symbol="Handle", events=True),
            id="events",
        ),
        pytest.param(
            {"go.mod": "module function\n", "f.go": HANDLE},
            "cloudevent",
            GoPlan(module="function", symbol="Handle", events=False),
            id="events without the SDK",
        ),
        pytest.param(
            {"go.mod": "module x\n", "main.go": "// package function\npackage main\n"},
            "http",
            GoPlan(module="", symbol="", events=False),
            id="a program of its own",
        ),
    ],
)
def test_what_a_module_is(
    tmp_path: Path, files: dict[str, str], invoke: str, planned: GoPlan
) -> None:
    found = plan(project(tmp_path, files), "cloudevent" if invoke == "cloudevent" else "http")
    assert found == planned


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({"f.go": HANDLE}, "has no go.mod", id="no module"),
        pytest.param({"go.mod": "go 1.21\n", "f.go": HANDLE}, "names no module", id="no name"),
        pytest.param({"go.mod": "module f\n"}, "no .go file", id="no source"),
        pytest.param(
            {"go.mod": "module f\n", "f.go": HANDLE + NEW.partition("\n")[2]},
            "defines both New and Handle",
            id="both",
        ),
        pytest.param(
            {"go.mod": "module f\n", "f.go": "package function\n/*\nfunc Handle() {}\n*/\n"},
            "defines neither",
            id="only in a comment",
        ),
        pytest.param(
            {"go.mod": "module f\n", "f.go": HANDLE, "knlite_serves/x.go": "package x\n"},
            "has the name of what knlite puts there",
            id="a folder of ours",
        ),
    ],
)
def test_what_cannot_be_compiled_is_said(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(InstanceFailed, match=said):
        plan(project(tmp_path, files), "http")
