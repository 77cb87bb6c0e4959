"""Annotations of a running Revision and settings of the cluster count at once (§2.1, §2.2)."""

import pytest

from knlite.facts import ScaleDecided
from knlite.kinds.conditions import find
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.registry.registry import Refused
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")


def why(cell: Cell) -> str:
    return [fact.why for fact in cell.facts if isinstance(fact, ScaleDecided)][-1]


@on_virtual_time
async def test_min_scale_is_followed_up_and_down_and_away() -> None:
    async with opened() as cell:
        cell.service(min_scale="1")
        await cell.advance(80)
        for least in (2, 3):
            cell.annotate(WEB, min_scale=str(least))
            await cell.advance(2)
            assert cell.running() == least
        cell.annotate(WEB, min_scale="")
        await cell.advance(2)
        assert cell.running() == 1
        # While the third was awaited it was not active, so a stable window begins with that one.
        await cell.advance(50)
        assert cell.running() == 1
        await cell.advance(15)
        assert cell.running() == 0


@on_virtual_time
async def test_min_scale_wakes_a_revision_at_zero() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(80)
        assert cell.running() == 0
        cell.annotate(WEB, min_scale="2")
        await cell.advance(2)
        assert cell.running() == 2


@on_virtual_time
async def test_max_scale_takes_away_what_is_too_much() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(2)
        cell.requests.load[WEB] = 350.0
        await cell.advance(10)
        assert cell.running() == 5
        cell.annotate(WEB, max_scale="2")
        await cell.advance(1)
        assert cell.running() == 2
        assert why(cell) == "max-scale 2"


@pytest.mark.parametrize(
    ("annotations", "running"),
    [
        ({"target": "10"}, 10),
        ({"target_utilization_percentage": "50"}, 2),
        ({"metric": "rps", "target": "20"}, 5),
        ({"activation_scale": "4"}, 4),
        ({"minScale": "3"}, 3),
    ],
    ids=str,
)
def test_the_target_is_followed(annotations: dict[str, str], running: int) -> None:
    @on_virtual_time
    async def flow() -> None:
        async with opened() as cell:
            cell.service()
            await cell.advance(2)
            cell.requests.load[WEB] = 70.0
            await cell.advance(70)
            assert cell.running() == 1
            cell.annotate(WEB, **annotations)
            await cell.advance(70)
            assert cell.running() == running

    flow()


@pytest.mark.parametrize(
    ("annotations", "running"),
    [
        pytest.param({}, 5, id="a rush is met by panic"),
        pytest.param({"panic_threshold_percentage": "1000"}, 1, id="which takes more to begin"),
        pytest.param({"panic_window_percentage": "100"}, 3, id="or longer"),
        pytest.param(
            {
                "panic_threshold_percentage": "1000",
                "class": "kpa.autoscaling.knative.dev",
                "metric_aggregation_algorithm": "weighted-exponential",
            },
            4,
            id="or averages follow faster",
        ),
    ],
)
def test_how_a_rush_is_met_is_followed(annotations: dict[str, str], running: int) -> None:
    @on_virtual_time
    async def flow() -> None:
        async with opened() as cell:
            cell.service(min_scale="1")
            await cell.advance(30)
            cell.annotate(WEB, **annotations)
            cell.requests.load[WEB] = 350.0
            await cell.advance(9)
            assert cell.running() == running

    flow()


@on_virtual_time
async def test_a_shorter_window_ends_the_waiting() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(10)
        cell.annotate(WEB, window="6s")
        await cell.advance(25)
        assert cell.running() == 0


@on_virtual_time
async def test_a_retention_period_keeps_the_last_instance() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(10)
        cell.annotate(WEB, scale_to_zero_pod_retention_period="5m")
        await cell.advance(300)
        assert cell.running() == 1
        await cell.advance(100)
        assert cell.running() == 0


@on_virtual_time
async def test_a_delay_keeps_what_was_needed_lately() -> None:
    async with opened() as cell:
        cell.service(window="6s")
        await cell.advance(2)
        cell.annotate(WEB, scale_down_delay="2m")
        cell.requests.load[WEB] = 210.0
        await cell.advance(20)
        assert cell.running() == 3
        cell.requests.load[WEB] = 0.0
        await cell.advance(90)
        assert cell.running() == 3
        await cell.advance(40)
        assert cell.running() == 1, "the one that the down-rate had left is delayed too"
        await cell.advance(130)
        assert cell.running() == 0


@on_virtual_time
async def test_burst_capacity_takes_the_activator_out_of_the_path() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(10)
        assert cell.requests.modes.get(WEB, "Proxy") == "Proxy"
        cell.annotate(WEB, target_burst_capacity="0")
        await cell.advance(2)
        assert cell.requests.modes[WEB] == "Serve"


@on_virtual_time
async def test_what_admission_refuses_changes_nothing() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(2)
        with pytest.raises(Refused, match="expected 6s <= 5s <= 1h0m0s"):
            cell.annotate(WEB, window="5s")


@on_virtual_time
async def test_settings_of_the_autoscaler_reach_running_revisions() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(80)
        assert cell.running() == 0
        cell.configure("config-autoscaler", min_scale="2")
        await cell.advance(2)
        assert cell.running() == 2
        cell.configure("config-autoscaler", enable_scale_to_zero="false")
        await cell.advance(80)
        assert cell.running() == 1


@on_virtual_time
async def test_a_config_map_that_is_deleted_comes_back_and_its_settings_go() -> None:
    async with opened() as cell:
        cell.configure("config-autoscaler", min_scale="2")
        cell.service()
        await cell.advance(10)
        assert cell.running() == 2
        cell.registry.delete(Key(ConfigMap, "knative-serving", "config-autoscaler"))
        await cell.advance(80)
        assert cell.running() == 0
        found = cell.registry.view.get(ConfigMap, "knative-serving", "config-autoscaler")
        assert found is not None
        assert found.data == shipped()["knative-serving", "config-autoscaler"].data


@on_virtual_time
async def test_another_domain_and_template_move_every_service() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(2)
        cell.configure("config-domain", **{"example.com": ""})
        await cell.advance(1)
        assert url(cell) == "http://web.default.example.com:8080"
        template = "{{.Name}}-of-{{.Namespace}}.{{.Domain}}"
        cell.configure("config-network", domain_template=template)
        await cell.advance(1)
        assert url(cell) == "http://web-of-default.example.com:8080"


@on_virtual_time
async def test_settings_for_new_revisions_count_from_the_next_one() -> None:
    async with opened() as cell:
        cell.service("before", image="web")
        cell.configure("config-defaults", revision_timeout_seconds="60", container_concurrency="7")
        cell.service("after", image="web")
        found = [cell.registry.view.get(Service, "default", each) for each in ("before", "after")]
        specs = [obj.spec.template.spec for obj in found if obj is not None]
        assert [spec.timeout_seconds for spec in specs] == [300, 60]
        assert [spec.container_concurrency for spec in specs] == [0, 7]


@on_virtual_time
async def test_a_feature_opens_its_field_at_once() -> None:
    async with opened() as cell:
        pod = {"nodeSelector": {"disk": "ssd"}}
        document = documents.service(pod=pod)
        with pytest.raises(Refused, match=r"must not set .*: spec\.template\.spec\.nodeSelector"):
            cell.apply(document)
        cell.configure("config-features", **{"kubernetes.podspec-nodeselector": "Allowed"})
        cell.apply(document)


@on_virtual_time
async def test_a_shorter_progress_deadline_ends_a_start_that_hangs() -> None:
    async with opened({"stuck": Script(booting=9_000.0)}) as cell:
        cell.service(image="stuck")
        await cell.advance(5)
        cell.configure("config-deployment", progress_deadline="10s")
        await cell.advance(60)
        found = cell.registry.view.get(PodAutoscaler, *WEB)
        assert found is not None
        active = find(found.status.conditions, "Active")
        assert active is not None
        assert (active.status, active.reason) == ("False", "TimedOut")


@on_virtual_time
async def test_the_url_of_a_revisions_logs_follows_its_template() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(2)
        template = "http://logs/?uid=${REVISION_UID}"
        cell.configure("config-observability", **{"logging.revision-url-template": template})
        await cell.advance(1)
        revision = cell.registry.view.get(Revision, *WEB)
        assert revision is not None
        assert revision.status.log_url == f"http://logs/?uid={revision.metadata.uid}"


@on_virtual_time
async def test_a_pod_autoscaler_says_where_its_revision_stands() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(0.3)
        assert standing(cell) == {
            "Active": ("Unknown", "Queued"),
            "Ready": ("Unknown", "Queued"),
            "SKSReady": ("Unknown", "NotReady"),
            "ScaleTargetInitialized": ("Unknown", ""),
        }
        await cell.advance(5)
        assert {status for status, _ in standing(cell).values()} == {"True"}
        found = cell.registry.view.get(PodAutoscaler, *WEB)
        assert found is not None
        assert found.spec.scale_target_ref.name == "web-00001-deployment"
        assert found.status.metrics_service_name == "web-00001-private"
        assert found.status.observed_generation == found.metadata.generation
        await cell.advance(80)
        assert standing(cell) == {
            "Active": ("False", "NoTraffic"),
            "Ready": ("False", "NoTraffic"),
            "SKSReady": ("Unknown", "NotReady"),
            "ScaleTargetInitialized": ("True", ""),
        }


def url(cell: Cell) -> str:
    found = cell.registry.view.get(Service, "default", "web")
    assert found is not None
    return found.status.url


def standing(cell: Cell) -> dict[str, tuple[str, str]]:
    found = cell.registry.view.get(PodAutoscaler, *WEB)
    assert found is not None
    return {each.type: (each.status, each.reason) for each in found.status.conditions}
