"""Eventing reference §9: defaults and validation of a PingSource."""

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.ping import PingConfig
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.pingsource import (
    PingSource,
    PingSourceSpec,
    data_of,
    defaulted,
    validated,
)
from knlite.kinds.sources.source import CloudEventOverrides

SINK = Destination(uri="http://x.example")


def ping(**spec: object) -> PingSource:
    fields: dict[str, object] = {"sink": SINK, "schedule": "* * * * *", **spec}
    return PingSource(
        metadata=ObjectMeta(name="p", namespace="shop"),
        spec=PingSourceSpec(**fields),  # type: ignore[arg-type]  fields by name
    )


def test_it_is_due_every_minute_unless_said() -> None:
    obj = PingSource(metadata=ObjectMeta(name="p", namespace="shop"))
    assert defaulted(obj, None, Config()).spec.schedule == "* * * * *"


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(ping(), "", id="plain"),
        pytest.param(ping(schedule="10 0/1 * * * ?"), "", id="seconds"),
        pytest.param(
            ping(schedule="@every 1m"),
            "invalid value: unsupported descriptor @every: spec.schedule",
            id="every",
        ),
        pytest.param(
            ping(schedule="* *"),
            "invalid value: expected 5 to 6 fields, found 2: [* *]: spec.schedule",
            id="schedule",
        ),
        pytest.param(
            ping(timezone="Knative/Land"),
            "invalid value: provided bad location Knative/Land: unknown time zone Knative/Land:"
            " spec.timezone",
            id="zone",
        ),
        pytest.param(
            ping(sink=Destination()),
            "expected at least one, got none: spec.sink.ref, spec.sink.uri",
            id="no-sink",
        ),
        pytest.param(
            ping(ce_overrides=CloudEventOverrides(extensions={"a-b": "c"})),
            'invalid key name "a-b": spec.ceOverrides.extensions\n'
            "keys are expected to be alphanumeric",
            id="overrides",
        ),
        pytest.param(
            ping(data="a", data_base64="YQ=="),
            "expected exactly one, got both: spec.data, spec.dataBase64",
            id="both",
        ),
        pytest.param(
            ping(data_base64="YQ==!"),
            "invalid value: illegal base64 data at input byte 4: spec.dataBase64",
            id="base64",
        ),
        pytest.param(ping(data_base64="Y\nQ=="), "", id="base64-in-lines"),
        pytest.param(
            ping(data="[1]", content_type="application/json"),
            "invalid value: json: cannot unmarshal array into Go value of type"
            " map[string]interface {}: spec.data",
            id="no-object",
        ),
        pytest.param(
            ping(data_base64="MQ==", content_type="application/json"),
            "invalid value: json: cannot unmarshal number into Go value of type"
            " map[string]interface {}: spec.dataBase64",
            id="no-object-in-base64",
        ),
        pytest.param(ping(data='{"a": 1}', content_type="application/json"), "", id="object"),
        pytest.param(ping(data="[1]", content_type="application/JSON"), "", id="not-quite-json"),
        pytest.param(
            ping(data="[" * 100_000, content_type="application/json"),
            "invalid value: exceeded max depth: spec.data",
            id="bottomless",
        ),
    ],
)
def test_what_is_wrong_with_it(obj: PingSource, text: str) -> None:
    assert rendered(validated(obj, None, Config())) == text


def test_data_that_is_too_long() -> None:
    config = Config(ping=PingConfig(3))
    assert not validated(ping(data="abc"), None, config)
    assert rendered(validated(ping(data="abcd"), None, config)) == (
        "invalid value: the data length of 4 bytes exceeds limit set at 3.: spec.data"
    )


@pytest.mark.parametrize(
    ("obj", "data"),
    [
        pytest.param(ping(), None, id="none"),
        pytest.param(ping(data="ä"), "ä".encode(), id="text"),
        pytest.param(ping(data_base64="AA\n=="), b"\0", id="base64"),
    ],
)
def test_what_its_events_carry(obj: PingSource, data: bytes | None) -> None:
    assert data_of(obj.spec) == data
