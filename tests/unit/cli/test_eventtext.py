"""Events as ``func invoke`` prints them (Knative Functions reference §4.6)."""

import json

from hypothesis import given
from hypothesis import strategies as st

from knlite.cli.eventtext import event_text
from knlite.eventing.cloudevent import CloudEvent

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "17",
    "source": "/shop",
    "type": "order.paid",
    "tenant": "eu",
    "time": "2026-01-31T12:00:00Z",
}


def test_attributes_extensions_and_json_data_have_their_headings() -> None:
    data = b'{"id":17, "items":[{"price":1.50},"a,\\"b"],"none":[]}'
    text = event_text(CloudEvent(ATTRIBUTES, "application/json; charset=utf-8", data))
    assert text == (
        "Context Attributes,\n"
        "  specversion: 1.0\n"
        "  type: order.paid\n"
        "  source: /shop\n"
        "  id: 17\n"
        "  time: 2026-01-31T12:00:00Z\n"
        "  datacontenttype: application/json; charset=utf-8\n"
        "Extensions,\n"
        "  tenant: eu\n"
        "Data,\n"
        "  {\n"
        '    "id": 17,\n'
        '    "items": [\n'
        "      {\n"
        '        "price": 1.50\n'
        "      },\n"
        '      "a,\\"b"\n'
        "    ],\n"
        '    "none": []\n'
        "  }\n"
    )


def test_other_data_and_broken_json_stay_as_they_are() -> None:
    assert event_text(CloudEvent(ATTRIBUTES, "text/plain", b"hi\n")).endswith("Data,\n  hi\n\n")
    assert event_text(CloudEvent(ATTRIBUTES, "application/json", b"{")).endswith("Data,\n  {\n")
    assert "Data" not in event_text(CloudEvent(ATTRIBUTES))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_indenting_changes_nothing_that_json_holds(value: object) -> None:
    text = event_text(CloudEvent(ATTRIBUTES, "application/json", json.dumps(value).encode()))
    assert json.loads(text.partition("Data,\n")[2]) == value
