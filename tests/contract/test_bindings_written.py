"""Whatever event a Broker keeps on Kafka or RabbitMQ, others read it as the same one.

Read by ``tests/e2e/bindings.py``, which shares nothing with what writes.
"""

from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.kafka import codec as kafka
from knlite.eventing.rabbitmq import codec as rabbitmq
from tests.e2e.bindings import UNSET_TIME, on_kafka, on_rabbitmq
from tests.e2e.recorder import Event

text = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)
names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: (
        name not in {"data", "datacontenttype", "time", "dataschema", "specversion"}
        and not name.startswith("x-")
    )
)
sources = st.sampled_from(["/s", "urn:a:b", "https://host/path?q#f", "größer"])


@st.composite
def events(draw: st.DrawFn) -> CloudEvent:
    """Valid ones, as an ingress leaves them."""
    attributes = draw(st.dictionaries(names, text, max_size=4))
    attributes |= {"specversion": "1.0", "id": draw(text.filter(str.strip)), "type": "t"}
    attributes["source"] = draw(sources)
    if draw(st.booleans()):
        attributes["time"] = "2026-11-26T15:00:00.123456789Z"
    if draw(st.booleans()):
        attributes["partitionkey"] = draw(text)
    content_type = draw(st.sampled_from([None, "application/json", "text/plain; charset=utf-8"]))
    data = st.none() | st.binary(min_size=1, max_size=50)
    if content_type == "application/json":
        data = st.sampled_from([None, b'{"a": 1}', b'"text"', b"null", b"[1]"])
    return CloudEvent(attributes, content_type, draw(data))


def plain(event: CloudEvent) -> Event:
    content = {} if event.content_type is None else {"datacontenttype": event.content_type}
    return Event({**event.attributes, **content}, event.data or b"")


BESIDE = kafka.Beside(
    run="r", arrival=1795705389488000, ttl=3, headers=(("x-request-id", "ü"),), only=("g",)
)


@given(event=events(), structured=st.booleans())
def test_a_record_is_read_as_the_same_event(event: CloudEvent, *, structured: bool) -> None:
    written = kafka.encode(event, BESIDE, structured=structured)
    read, sent = on_kafka(written.key, written.value, written.headers), plain(event)
    assert dict(read.attributes) == dict(sent.attributes)
    if not structured or event.content_type != "application/json":
        assert read.data == sent.data


@given(events())
def test_a_message_is_read_as_the_same_event(event: CloudEvent) -> None:
    beside = rabbitmq.Beside(arrival=5, ttl=3, run="r", headers=(("x-request-id", "ü"),))
    written = rabbitmq.written(event, beside)
    read = on_rabbitmq(
        written.headers,
        written.body,
        content_type=written.content_type,
        message_id=written.message_id,
        delivery_mode=2,
    )
    attributes, sent = dict(read.attributes), plain(event)
    if "time" not in event.attributes:
        assert attributes.pop("time") == UNSET_TIME
    assert attributes == dict(sent.attributes)
    assert read.data == sent.data
