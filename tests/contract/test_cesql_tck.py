"""The public test kit of CloudEvents SQL (Eventing data plane reference §6.7).

The kit is not part of the project. It is looked for in the folder that KNLITE_CESQL_TCK names (such
as ``cesql/cesql_tck`` of a copy of github.com/cloudevents/spec), else beside the project.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from knlite.eventing.cesql.program import program_of
from knlite.eventing.cloudevent import CloudEvent
from knlite.kinds.cesql.syntax import NotCESQL

ROOT = Path(__file__).parents[2]
KIT = Path(os.environ.get("KNLITE_CESQL_TCK") or ROOT.parent / "shared/data/cesql_tck")
ANY = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


class Texts(yaml.SafeLoader):
    """Takes scalars as they are written, but for what ``result`` and attributes may be."""


Texts.yaml_implicit_resolvers = {
    first: [
        (tag, regexp) for tag, regexp in resolvers if not tag.endswith((":timestamp", ":float"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def cases() -> Iterator[Any]:
    for file in sorted(KIT.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        written = yaml.load(text, yaml.BaseLoader)["tests"]
        for case, as_text in zip(yaml.load(text, Texts)["tests"], written, strict=True):
            # YAML makes a number of 0, and CESQL shall see the text.
            case["expression"] = as_text["expression"]
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


def event_of(case: Mapping[str, Any]) -> CloudEvent:
    attributes = {**case.get("event", ANY), **case.get("eventOverrides", {})}
    return CloudEvent(attributes, attributes.pop("datacontenttype", None))


@pytest.mark.skipif(not KIT.is_dir(), reason=f"there is no CESQL test kit in {KIT}")
@pytest.mark.parametrize("case", list(cases()))
def test_case_of_the_kit(case: Mapping[str, Any]) -> None:
    fault: str | None
    try:
        result = program_of(case["expression"]).evaluate(event_of(case))
    except NotCESQL:
        value: object = False
        fault = "parse"
    else:
        value, fault = result.value, result.fault.kind if result.fault else None
    assert fault == case.get("error")
    if "result" in case:
        wanted = case["result"]
        assert (type(value), value) == (type(wanted), wanted)
