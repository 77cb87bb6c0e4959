"""What the routing table is made of is at any time what the registry holds."""

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from knlite.controlplane.routes import Routes
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.configuration import (
    Configuration,
    ConfigurationSpec,
    ConfigurationStatus,
)
from knlite.kinds.serving.ingress import Ingress, IngressSpec, IngressTLS, Rule, Split
from knlite.kinds.serving.revision import Revision, RevisionSpec, RevisionTemplate
from knlite.kinds.serving.route import Route, RouteSpec, TrafficTarget
from knlite.reconcile import key_of
from knlite.registry.registry import Notification, Registry
from tests.unit.registry.desk import registry

WEB = ObjectMeta(name="web", namespace="default")
RUNS = RevisionSpec(containers=(Container(image="web"),))
CONFIGURATION = Configuration(
    metadata=WEB, spec=ConfigurationSpec(template=RevisionTemplate(spec=RUNS))
)
REVISION = Revision(metadata=replace(WEB, name="web-1"), spec=RUNS)
ROUTE = Route(
    metadata=WEB,
    spec=RouteSpec(
        traffic=(TrafficTarget(configuration_name="web", latest_revision=True, percent=100),)
    ),
)


def ingress(revision: str, *, secret: str = "") -> Ingress:
    split = Split(service_namespace="default", service_name=revision, percent=100)
    rule = Rule(hosts=("web.default.localhost",), visibility="ExternalIP", splits=(split,))
    tls = IngressTLS(hosts=rule.hosts, secret_name=secret, secret_namespace="default")
    return Ingress(metadata=WEB, spec=IngressSpec(rules=(rule,), tls=(tls,) if secret else ()))


class Told:
    """A registry, the routes that are told of its changes, and their answers to the last step."""

    def __init__(self) -> None:
        self.registry = registry()
        self.routes = Routes(self.registry)
        self.answers: list[bool] = []

    def note(self, notification: Notification) -> None:
        self.answers.append(self.routes.note(notification))

    def step(self, act: Callable[[Registry], object]) -> bool:
        """Whether the table may be another one after *act*; it must be what a new one would be."""
        before = self.routes.table()
        self.answers.clear()
        act(self.registry)
        afresh = Routes(self.registry)
        afresh.begin()
        assert self.routes.table() == afresh.table()
        changed = any(self.answers)
        assert changed or self.routes.table() == before
        return changed


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    with made.registry.listening(made.note):
        yield made


def create(obj: Object) -> Callable[[Registry], object]:
    return lambda desk: desk.create(obj, user="test")


def update(obj: Object) -> Callable[[Registry], object]:
    return lambda desk: desk.update(obj, user="test")


def newest(name: str) -> Callable[[Registry], object]:
    def act(desk: Registry) -> None:
        stored = desk.at(key_of(CONFIGURATION))
        assert stored is not None
        status = ConfigurationStatus(latest_created_revision_name=name)
        desk.update_status(Configuration(metadata=stored.metadata, status=status))

    return act


def delete(obj: Object) -> Callable[[Registry], object]:
    return lambda desk: desk.delete(key_of(obj))


def test_a_table_follows_its_objects_and_nothing_else(told: Told) -> None:
    made = ingress("web-1")
    noted = replace(WEB, annotations={"x": "1"})
    assert told.step(create(CONFIGURATION)) is False
    assert told.step(create(ROUTE))
    assert told.step(newest("web-1"))
    assert told.routes.table().hosts["web.default.localhost"].revisions[0].name == "web-1"
    assert told.step(create(REVISION))
    assert told.step(create(made))
    # From here on the Ingress alone says where the host leads.
    assert told.step(newest("web-2")) is False
    assert told.step(update(replace(ROUTE, metadata=noted))) is False
    assert told.step(update(replace(made, metadata=noted))) is False
    assert told.step(update(ingress("web-2")))
    assert told.routes.table().hosts["web.default.localhost"].revisions[0].name == "web-2"
    assert told.step(delete(made))
    assert told.step(delete(ROUTE))
    assert told.step(delete(REVISION))
    assert not told.routes.table().hosts


def test_an_ingress_is_told_once_and_one_with_certificates_each_time(told: Told) -> None:
    told.step(create(ingress("web-1")))
    assert [each.metadata.name for each in told.routes.told()] == ["web"]
    assert list(told.routes.told()) == []
    told.step(update(ingress("web-1", secret="pair")))
    assert len(list(told.routes.told())) == 1
    assert len(list(told.routes.told())) == 1
    assert len(list(told.routes.secured())) == 1


def test_a_secret_matters_if_a_certificate_is_in_it(told: Told) -> None:
    told.step(create(ingress("web-1", secret="pair")))
    meta = ObjectMeta(name="pair", namespace="default")
    assert told.step(create(Secret(metadata=meta)))
    assert told.step(create(Secret(metadata=replace(meta, name="other")))) is False
