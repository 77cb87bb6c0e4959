"""``spec.filter.attributes`` (Eventing data plane reference §5.2, §5.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.filter import Part, Verdict
from knlite.eventing.filters.lookup import lookup

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
EVENT = CloudEvent(
    {**LEAST, "foo": "Bar", "empty": "", "dataschema": "http://schema"},
    "application/json; charset=utf-8",
)


@pytest.mark.parametrize(
    ("wanted", "matched"),
    [
        pytest.param({"type": "t"}, True, id="equal"),
        pytest.param({"type": "T"}, False, id="case counts"),
        pytest.param({"type": "t", "source": "/s"}, True, id="all entries"),
        pytest.param({"type": "t", "source": "/x"}, False, id="all but one"),
        pytest.param({"foo": "Bar"}, True, id="extension"),
        pytest.param({"foo": ""}, True, id="extension is present"),
        pytest.param({"empty": ""}, False, id="extension is empty"),
        pytest.param({"missing": ""}, False, id="extension is missing"),
        pytest.param({"missing": "x"}, False, id="missing is not equal"),
        pytest.param({"subject": ""}, False, id="attribute is absent"),
        pytest.param({"subject": "x"}, False, id="absent is not equal"),
        pytest.param({"datacontenttype": "application/json; charset=utf-8"}, True, id="media type"),
        pytest.param({"datamediatype": "application/json"}, True, id="without parameters"),
        pytest.param({"schemaurl": "http://schema"}, True, id="old name of the schema"),
        pytest.param({"time": "0001-01-01T00:00:00Z"}, True, id="no time is the zero time"),
    ],
)
def test_what_passes(wanted: dict[str, str], matched: bool) -> None:
    verdict = Attributes(wanted).judge(EVENT)
    assert verdict.matched is Attributes(wanted).passes(EVENT) is matched


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [
        (
            {"type": "t", "foo": "x"},
            Verdict(
                False,
                'foo is "Bar", and "x" is wanted',
                "filter.attributes[foo]",
                (Part("filter.attributes[foo]", False, {"foo": "Bar"}),),
            ),
        ),
        (
            {"subject": "x"},
            Verdict(
                False,
                'subject is absent, and "x" is wanted',
                "filter.attributes[subject]",
                (Part("filter.attributes[subject]", False, {"subject": None}),),
            ),
        ),
        (
            {"type": "t", "foo": ""},
            Verdict(
                True,
                'type is "t" and foo is "Bar"',
                "filter.attributes",
                (
                    Part("filter.attributes[type]", True, {"type": "t"}),
                    Part("filter.attributes[foo]", True, {"foo": "Bar"}),
                ),
            ),
        ),
    ],
)
def test_the_verdict_names_the_entry_that_decided(wanted: dict[str, str], verdict: Verdict) -> None:
    assert Attributes(wanted).judge(EVENT) == verdict


@pytest.mark.parametrize("name", ["subject", "dataschema", "datacontenttype", "datamediatype"])
def test_standard_attributes_are_never_missing(name: str) -> None:
    assert lookup(CloudEvent(LEAST), name) == ""


def test_only_extensions_are_missing() -> None:
    assert lookup(CloudEvent(LEAST), "foo") is None


def test_the_schema_of_version_0_3_has_both_names() -> None:
    event = CloudEvent({**LEAST, "specversion": "0.3", "schemaurl": "http://schema"})
    assert lookup(event, "dataschema") == lookup(event, "schemaurl") == "http://schema"


@given(st.dictionaries(st.sampled_from(["type", "foo", "missing"]), st.sampled_from(["", "t"])))
def test_entries_are_joined_by_and(wanted: dict[str, str]) -> None:
    each = [Attributes({name: value}).judge(EVENT).matched for name, value in wanted.items()]
    assert Attributes(wanted).judge(EVENT).matched is all(each)
