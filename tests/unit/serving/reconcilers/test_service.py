"""What a Service says of its children (Knative reference §1.10, §1.11)."""

from msgspec.structs import replace

from knlite.kinds.conditions import Condition, Status, find
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.ownership import owned_by
from knlite.kinds.serving.configuration import Configuration, ConfigurationStatus
from knlite.kinds.serving.revision import RevisionTemplate
from knlite.kinds.serving.route import Route, RouteStatus, TrafficTarget
from knlite.kinds.serving.service import Service, ServiceSpec
from knlite.reconcile import Key, Update
from knlite.serving.reconcilers.service import reconcile
from tests.flows.cell import STARTED
from tests.unit.fake_view import FakeView

WEB = Service(
    metadata=ObjectMeta(name="web", namespace="n", uid="u", generation=1),
    spec=ServiceSpec(traffic=(TrafficTarget(latest_revision=True, percent=100),)),
)
LATEST = TrafficTarget(revision_name="web-1", latest_revision=True, percent=100)


def ready(status: Status, reason: str = "", message: str = "") -> tuple[Condition, ...]:
    return (Condition(type="Ready", status=status, reason=reason, message=message),)


def settled(
    configuration: tuple[Condition, ...] = ready("True"),
    route: tuple[Condition, ...] = ready("True"),
    traffic: tuple[TrafficTarget, ...] = (LATEST,),
    service: Service = WEB,
) -> FakeView:
    """A view in which the children have said all there is to say of *service*."""
    view = FakeView(service)
    for _ in range(2):
        view.apply(reconcile(KEY, view, STARTED))
    for child in (view.get(Configuration, "n", "web"), view.get(Route, "n", "web")):
        match child:
            case Configuration():
                status: object = ConfigurationStatus(
                    observed_generation=child.metadata.generation,
                    conditions=configuration,
                    latest_ready_revision_name="web-1",
                    latest_created_revision_name="web-1",
                )
            case Route():
                status = RouteStatus(
                    observed_generation=child.metadata.generation,
                    conditions=route,
                    traffic=traffic,
                )
            case _:
                continue
        view.put(replace(child, status=status))
    view.apply(reconcile(KEY, view, STARTED))
    return view


KEY = Key(Service, "n", "web")


def said(view: FakeView, condition: str) -> tuple[str, str, str]:
    service = view.get(Service, "n", "web")
    assert service is not None
    one = find(service.status.conditions, condition)
    assert one is not None
    return one.status, one.reason, one.message


def foreign(obj: Object) -> FakeView:
    view = FakeView(WEB, obj)
    for _ in range(3):
        view.apply(reconcile(KEY, view, STARTED))
    return view


def test_children_that_have_not_been_looked_at_are_out_of_date() -> None:
    view = FakeView(WEB)
    view.apply(reconcile(KEY, view, STARTED))
    text = "The {} is still working to reflect the latest desired specification."
    for condition, kind in (("ConfigurationsReady", "Configuration"), ("RoutesReady", "Route")):
        assert said(view, condition) == ("Unknown", "OutOfDate", text.format(kind))


def test_a_configuration_of_somebody_else_is_not_adopted() -> None:
    view = foreign(Configuration(metadata=ObjectMeta(name="web", namespace="n", uid="other")))
    assert said(view, "ConfigurationsReady") == (
        "False",
        "NotOwned",
        'There is an existing Configuration "web" that we do not own.',
    )
    assert said(view, "Ready")[:2] == ("False", "NotOwned")


def test_a_route_of_somebody_else_is_not_adopted() -> None:
    view = foreign(Route(metadata=ObjectMeta(name="web", namespace="n", uid="other")))
    assert said(view, "RoutesReady") == (
        "False",
        "NotOwned",
        'There is an existing Route "web" that we do not own.',
    )


def test_all_is_well_when_both_children_say_so() -> None:
    view = settled()
    service = view.get(Service, "n", "web")
    assert service is not None
    assert said(view, "Ready") == ("True", "", "")
    assert service.status.observed_generation == 1
    assert service.status.latest_ready_revision_name == "web-1"


def test_a_failed_configuration_leaves_the_route_as_it_is() -> None:
    view = settled(configuration=ready("False", "RevisionFailed", "it failed"))
    assert said(view, "ConfigurationsReady") == ("False", "RevisionFailed", "it failed")
    assert said(view, "RoutesReady")[0] == "True"
    assert said(view, "Ready") == ("False", "RevisionFailed", "it failed")


def test_traffic_that_is_not_where_it_shall_be_is_told() -> None:
    text = "Traffic is not yet migrated to the latest revision."
    old = replace(LATEST, revision_name="web-0")
    for traffic in ((), (old,), (replace(LATEST, percent=50),), (LATEST, old)):
        view = settled(traffic=traffic)
        assert said(view, "RoutesReady") == ("Unknown", "TrafficNotMigrated", text)


def test_a_route_that_is_not_ready_says_itself_why() -> None:
    view = settled(route=ready("Unknown", "RolloutInProgress", "slowly"), traffic=())
    assert said(view, "RoutesReady") == ("Unknown", "RolloutInProgress", "slowly")


def test_a_template_with_a_name_holds_the_route_until_its_configuration_has_looked() -> None:
    template = RevisionTemplate(metadata=ObjectMeta(name="web-mine"))
    view = FakeView(replace(WEB, spec=replace(WEB.spec, template=template)))
    view.apply(reconcile(KEY, view, STARTED))
    configuration = view.get(Configuration, "n", "web")
    assert configuration is not None
    configuration = replace(configuration, metadata=replace(configuration.metadata, generation=1))
    view.put(configuration)
    view.apply(reconcile(KEY, view, STARTED))
    assert view.get(Route, "n", "web") is None
    assert said(view, "RoutesReady")[1] == "OutOfDate"
    view.put(replace(configuration, status=ConfigurationStatus(observed_generation=1)))
    view.apply(reconcile(KEY, view, STARTED))
    assert view.get(Route, "n", "web") is not None


def test_children_know_their_controller_and_where_it_gets_its_traffic() -> None:
    view = settled()
    for kind in (Configuration, Route):
        child = view.get(kind, "n", "web")
        assert child is not None
        assert child.metadata.owner_references == owned_by(WEB)
        (owner,) = child.metadata.owner_references
        assert (owner.api_version, owner.kind) == ("serving.knative.dev/v1", "Service")
        assert owner.block_owner_deletion
    route = view.get(Route, "n", "web")
    assert route is not None
    assert [each.configuration_name for each in route.spec.traffic] == ["web"]


def test_a_change_of_labels_or_annotations_alone_leaves_the_status_as_it_is() -> None:
    view = settled()
    service = view.get(Service, "n", "web")
    assert service is not None
    metadata = replace(service.metadata, annotations={"x": "1"}, labels={"team": "blue"})
    view.put(replace(service, metadata=metadata))
    changes = reconcile(KEY, view, STARTED).changes
    assert [type(change) for change in changes] == [Update, Update]
    for change in changes:
        assert isinstance(change, Update)
        assert isinstance(change.obj, Configuration | Route)
        assert change.obj.metadata.annotations["x"] == "1"
        assert change.obj.metadata.labels["team"] == "blue"
