"""What a route reads decides how often it is reconciled."""

from knlite.kinds.config.bundle import Config
from knlite.kinds.labels import ROUTES
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route, RouteSpec, TrafficTarget
from knlite.reconcile import Key, Update
from knlite.registry.recordingview import RecordingView
from knlite.registry.store import Store, all_of, in_namespace
from knlite.serving.reconcilers.route import reconcile
from tests.flows.cell import STARTED


def test_a_route_reads_what_it_refers_to_and_no_other_of_its_namespace() -> None:
    store = Store(Config())
    for name in ("web", "api"):
        meta = ObjectMeta(name=name, namespace="shop")
        traffic = (TrafficTarget(configuration_name=name, percent=100),)
        store.put(Configuration(metadata=meta))
        store.put(Route(metadata=meta, spec=RouteSpec(traffic=traffic)))
    view = RecordingView(store)
    reconcile(Key(Route, "shop", "web"), view, STARTED)
    assert Key(Configuration, "shop", "web") in view.dependencies
    assert Key(Configuration, "shop", "api") not in view.dependencies
    for kind in (Configuration, Revision):
        assert in_namespace(kind, "shop") not in view.dependencies
        assert all_of(kind) not in view.dependencies


def test_a_route_that_is_gone_leaves_no_mark() -> None:
    store = Store(Config())
    meta = ObjectMeta(name="web-1", namespace="shop", annotations={ROUTES: "api,web"})
    store.put(Revision(metadata=meta))
    outcome = reconcile(Key(Route, "shop", "web"), RecordingView(store), STARTED)
    (change,) = outcome.changes
    assert isinstance(change, Update)
    assert change.obj.metadata.annotations[ROUTES] == "api"
