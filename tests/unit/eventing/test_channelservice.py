"""The core Service that kubectl shows of an InMemoryChannel."""

import pytest

from knlite.eventing.views.channelservice import channel_service
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.meta import ObjectMeta
from tests.unit.fake_view import FakeView


@pytest.mark.parametrize(
    ("name", "service"),
    [
        pytest.param("orders", "orders-kn-channel", id="short"),
        pytest.param("n" * 60, f"{'n' * 20}80118a01221f893c08966efb4659e0bc-kn-channel", id="long"),
        pytest.param("a.b", None, id="no-label"),
        pytest.param("1", None, id="digit-first"),
    ],
)
def test_the_service_has_the_name_in_the_status(name: str, service: str | None) -> None:
    channel = InMemoryChannel(
        metadata=ObjectMeta(name=name, namespace="shop", uid="1", resource_version="7")
    )
    found = channel_service(channel, FakeView(channel))
    assert (None if found is None else found.metadata.name) == service
    if found is not None:
        assert found.spec.external_name == "imc-dispatcher.knative-eventing.svc.cluster.local"
        assert found.metadata.owner_references[0].uid == "1"
        assert found.metadata.resource_version == "7"
