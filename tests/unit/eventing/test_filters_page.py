"""What docs/filters.md says is so."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from knlite.eventing.cesql.program import program_of
from knlite.eventing.cloudevent import CloudEvent
from knlite.kinds.cesql.parser import parse
from knlite.kinds.cesql.syntax import NotCESQL
from knlite.kinds.codec import decode
from knlite.kinds.eventing.filters import validated
from knlite.kinds.eventing.trigger import TriggerSpec

PAGE = (Path(__file__).parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(.+)` \| (.*) ?\| (true|false|no match|an error, so no match)\b", re.MULTILINE
)
ROWS = ROW.findall(PAGE)


@pytest.mark.parametrize(("expression", "attributes", "result"), ROWS)
def test_an_expression_comes_to_what_the_page_says(
    expression: str, attributes: str, result: str
) -> None:
    given: dict[str, Any] = yaml.load(attributes, yaml.BaseLoader) or {}
    found = program_of(expression).evaluate(
        CloudEvent({"specversion": "1.0", "id": "1", "source": "/", "type": "t", **given})
    )
    assert (found.fault is not None) is (result == "an error, so no match")
    assert (found.fault is None and found.value is True) is (result == "true")
    assert (found.value is False) or result in {"true", "no match"}


def test_no_row_is_overlooked() -> None:
    table = PAGE.partition("| Expression |")[2].partition("\n\n")[0]
    assert len(ROWS) == table.count("\n| `") > 10


def test_what_the_page_calls_refused_is() -> None:
    with pytest.raises(NotCESQL):
        parse("4-1 = 3")


def test_the_example_is_a_filter() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    spec = decode(TriggerSpec, yaml.safe_load(example)["spec"]).value
    assert spec is not None
    assert len(spec.filters) == 5
    assert validated(spec.filters) == ()
