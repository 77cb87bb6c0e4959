"""What Kubernetes clients look at follows what the run does (Knative reference §2.6, §7.5)."""

from knlite.kinds.catalog import document
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.endpoints import SERVICE_NAME, Endpoints, EndpointSlice
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.node import Node
from knlite.kinds.core.pod import Pod
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.serving.metric import Metric
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.serverlessservice import ServerlessService
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.serving.instance import RevisionName
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")


def deployment(cell: Cell) -> Deployment:
    found = cell.registry.view.get(Deployment, "default", "web-00001-deployment")
    assert found is not None
    return found


def path(cell: Cell) -> ServerlessService:
    found = cell.registry.view.get(ServerlessService, "default", "web-00001")
    assert found is not None
    return found


def ready_addresses(cell: Cell, service: str) -> list[str]:
    """As upstream's tests count them."""
    slices = cell.registry.view.labelled(EndpointSlice, "default", SERVICE_NAME, service)
    return [
        address
        for each in slices
        for endpoint in each.endpoints
        if endpoint.conditions.ready is not False
        for address in endpoint.addresses
    ]


def version(obj: Object) -> int:
    return int(obj.metadata.resource_version)


@on_virtual_time
async def test_a_deployment_counts_what_is_wanted_and_what_is_ready() -> None:
    async with opened() as cell:
        cell.service(initial_scale="3")
        await cell.clock.sleep_until(0.2)
        assert deployment(cell).spec.replicas == 3
        assert deployment(cell).status.ready_replicas == 0
        await cell.clock.sleep_until(2.0)
        found = deployment(cell)
        assert (found.status.replicas, found.status.ready_replicas) == (3, 3)
        assert found.status.unavailable_replicas == 0
        assert {c.type: c.status for c in found.status.conditions} == {
            "Available": "True",
            "Progressing": "True",
        }
        await cell.advance(200.0)
        assert deployment(cell).spec.replicas == 0
        assert version(deployment(cell)) > version(found)


@on_virtual_time
async def test_a_deployment_looks_as_upstream_makes_it() -> None:
    async with opened() as cell:
        cell.service(target="7", window="30s")
        await cell.clock.sleep_until(1.0)
        revision = cell.registry.view.get(Revision, *WEB)
        assert revision is not None
        found = deployment(cell)
        (owner,) = found.metadata.owner_references
        assert (owner.kind, owner.uid) == ("Revision", revision.metadata.uid)
        assert found.metadata.labels["serving.knative.dev/revision"] == "web-00001"
        assert found.metadata.labels["app"] == "web-00001"
        assert "serving.knative.dev/routingState" not in found.metadata.labels
        assert not [key for key in found.metadata.annotations if key.startswith("autoscaling")]
        uid = {"serving.knative.dev/revisionUID": revision.metadata.uid}
        assert found.spec.selector.match_labels == uid
        assert uid.items() <= found.spec.template.metadata.labels.items()
        user, proxy = found.spec.template.spec.containers
        assert user.name == "user-container"
        assert {each.name: each.value for each in user.env}["PORT"] == "8080"
        assert proxy.name == "queue-proxy"
        measured = cell.registry.view.get(Metric, *WEB)
        assert measured is not None
        assert measured.spec.stable_window == 30 * 10**9
        assert measured.spec.panic_window == 3 * 10**9
        # The same object at every reading.
        assert deployment(cell) == found


@on_virtual_time
async def test_the_activator_stands_in_the_endpoints_of_a_service_while_it_is_in_the_path() -> None:
    async with opened() as cell:
        cell.service(initial_scale="2", target_burst_capacity="0", window="6s")
        await cell.clock.sleep_until(3.0)
        assert path(cell).spec.mode == "Serve"
        assert path(cell).status.service_name == "web-00001"
        assert path(cell).status.private_service_name == "web-00001-private"
        assert len(ready_addresses(cell, "web-00001")) == 2
        assert len(ready_addresses(cell, "web-00001-private")) == 2
        assert "127.0.0.9" not in ready_addresses(cell, "web-00001")
        served = version(path(cell))
        await cell.advance(100.0)
        assert cell.running() == 0
        assert path(cell).spec.mode == "Proxy"
        assert version(path(cell)) > served
        assert ready_addresses(cell, "web-00001") == ["127.0.0.9"]
        assert ready_addresses(cell, "web-00001-private") == []
        older = cell.registry.view.get(Endpoints, "default", "web-00001")
        assert older is not None
        private = cell.registry.view.get(KubernetesService, "default", "web-00001-private")
        assert private is not None
        assert private.spec.selector == deployment(cell).spec.selector.match_labels
        assert older.subsets[0].addresses[0].ip == "127.0.0.9"


@on_virtual_time
async def test_what_lists_instances_grows_newer_when_one_of_them_is_gone() -> None:
    async with opened() as cell:
        cell.service(initial_scale="2")
        await cell.clock.sleep_until(2.0)
        key = Key(EndpointSlice, "default", "web-00001-private")
        versions = []
        for _ in range(200):
            await cell.advance(1.0)
            found = cell.registry.at(key)
            assert found is not None
            versions.append(version(found))
        assert cell.running() == 0
        assert versions == sorted(versions)
        assert versions[-1] > versions[0]


@on_virtual_time
async def test_every_namespace_has_an_account_and_there_is_one_node() -> None:
    async with opened() as cell:
        cell.registry.create(Namespace(metadata=ObjectMeta(name="shop")), user="test")
        await cell.clock.sleep_until(1.0)
        for name in ("default", "shop"):
            assert cell.registry.view.get(ServiceAccount, name, "default") is not None
        cell.registry.delete(Key(ServiceAccount, "shop", "default"))
        await cell.clock.sleep_until(2.0)
        assert cell.registry.view.get(ServiceAccount, "shop", "default") is not None
        (node,) = cell.registry.view.listed(Node, "")
        assert int(node.status.allocatable["cpu"]) > 0
        assert node.status.allocatable["memory"].endswith("Ki")


@on_virtual_time
async def test_they_go_with_their_revision_and_nobody_has_to_delete_them() -> None:
    async with opened() as cell:
        cell.service()
        await cell.clock.sleep_until(1.0)
        kinds: list[type[Object]] = [
            Deployment,
            ServerlessService,
            EndpointSlice,
            Endpoints,
            KubernetesService,
        ]
        for kind in kinds:
            assert cell.registry.view.listed(kind, "default")
        cell.registry.delete(Key(Service, "default", "web"))
        for kind in kinds:
            assert not cell.registry.view.listed(kind, "default")


@on_virtual_time
async def test_what_clients_require_is_written_out_even_where_it_is_what_they_expect() -> None:
    async with opened() as cell:
        cell.service()
        await cell.clock.sleep_until(0.2)
        for name in ("web-00001", "web-00001-private"):
            found = cell.registry.view.get(EndpointSlice, "default", name)
            assert found is not None
            assert document(found)["addressType"] == "IPv4"
        assert document(deployment(cell))["spec"]["replicas"] == 1
        assert document(path(cell))["spec"]["mode"] == "Proxy"


@on_virtual_time
async def test_a_pod_carries_what_the_deployment_makes_pods_of_and_stands_on_the_node() -> None:
    async with opened() as cell:
        cell.service()
        await cell.clock.sleep_until(2.0)
        (pod,) = cell.registry.view.listed(Pod, "default")
        (node,) = cell.registry.view.listed(Node, "")
        template = deployment(cell).spec.template.metadata
        assert pod.metadata.labels == template.labels
        assert pod.metadata.annotations.items() <= template.annotations.items()
        assert pod.spec.node_name == node.metadata.name
