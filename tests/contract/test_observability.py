"""``deploy/observability``: what is shown is what knlite tells, and each part finds the next."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import promql_parser
import pytest
import yaml

from knlite.facts import (
    ColdStart,
    DeliveryAttempted,
    EventAccepted,
    EventRefused,
    InstanceChanged,
    RequestDone,
    SourceSent,
)
from knlite.kinds.config.observability import parse
from knlite.serving.levels import InstanceCounts, RevisionLoad, RevisionScale
from knlite.telemetry.metrics import Metrics
from tests.e2e.executable import ROOT

FOLDER = ROOT / "deploy" / "observability"
DASHBOARD = json.loads((FOLDER / "grafana" / "knlite.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DATASOURCES = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
AT = datetime(2026, 1, 2, tzinfo=UTC)

_METRIC = re.compile(r"\b([a-z_]+)(?=[{\[])")
_SELECTOR = re.compile(r"\b([a-z][a-z_]+)\{([^}]*)\}")
_LABEL = re.compile(r'([a-z_]+)=~?"')
_BY = re.compile(r"\bby \(([a-z_, ]*)\)")


def filled(query: str) -> str:
    query = query.replace("$__rate_interval", "1m")
    return query.replace("$namespace", ".*").replace("$service", ".*")


def labels_by(query: str) -> set[str]:
    """What its sums are kept apart by."""
    return {each.strip() for labels in _BY.findall(query) for each in labels.split(",")}


QUERIES = [
    (panel["title"], filled(target["expr"]))
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]
"""(title of the panel, query), with Grafana's variables filled in."""


@pytest.fixture(scope="module")
def series() -> dict[str, set[str]]:
    """Every metric that /metrics can have, as it is written there, with its labels."""
    metrics = Metrics()
    named = {"namespace": "n", "service": "s", "revision": "r", "configuration": "s"}
    load = RevisionLoad(**named, queued=1, active=1, concurrency=1.0)
    scales = [
        RevisionScale(
            **named, desired=1, requested=1, instances=InstanceCounts(ready=1), excess=1.0,
            panic=False, metric=metric, stable=1.0, in_panic_window=1.0, target=1.0,
        )
        for metric in ("concurrency", "rps")
    ]  # fmt: skip
    metrics.ask(loads=lambda: [load], scales=lambda: scales)
    start = {"at": AT, "namespace": "n", "service": "s", "revision": "r", "instance": "i"}
    stages = {"queued": 0.1, "started": 0.2, "ready": 0.3, "first_byte": 0.4}
    attempt = (
        AT, "Broker", "n", "b", "Trigger", "n", "t", "u", 1, "1", "type", "subscriber", "http://x",
        1, 200, "delivered",
    )  # fmt: skip
    taken = ("Broker", "n", "b", "u", 1, {"type": "t"}, None, None, 255, (), "")
    refused = {"at": AT, "kind": "Broker", "namespace": "n", "name": "b", "status": 400, "why": ""}
    sent = {
        "at": AT, "kind": "PingSource", "namespace": "n", "name": "p", "event_id": "1",
        "event_type": "t", "target": "http://x", "attempts": 1, "status": 202,
        "outcome": "delivered",
    }  # fmt: skip
    for fact in (
        RequestDone(AT, "n", "s", "r", "i", "GET", 200, 0.1, False),
        ColdStart(**start, **stages),
        ColdStart(**start, **stages, how="thawed"),
        InstanceChanged(**start, state="failed"),
        EventAccepted(AT, *taken),
        EventRefused(**refused),
        DeliveryAttempted(*attempt),
        SourceSent(**sent),
    ):
        metrics.read(fact)
    found: dict[str, set[str]] = {}
    for line in metrics.exposition().decode().splitlines():
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            found.setdefault(name, set()).update(_LABEL.findall(line))
    return found


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_panel_asks_for_what_knlite_tells(
    title: str, query: str, series: dict[str, set[str]]
) -> None:
    asked = set(_METRIC.findall(query))
    assert asked, title
    assert asked <= series.keys()
    for name, selector in _SELECTOR.findall(query):
        assert set(_LABEL.findall(selector)) <= series[name], name
    by = labels_by(query)
    assert by <= set().union(*(series[name] for name in asked))


def test_what_a_legend_names_is_there() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            named = set(re.findall(r"\{\{([a-z_]+)\}\}", target["legendFormat"]))
            kept = labels_by(target["expr"])
            assert named <= kept, panel["title"]


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_query_is_promql(title: str, query: str) -> None:
    assert promql_parser.parse(query) is not None, title


def test_the_profile_is_whole() -> None:
    parts = {name for name, part in COMPOSE.items() if part.get("profiles") == ["observability"]}
    assert parts == {"prometheus", "grafana", "jaeger", "tracing"}
    for name in parts:
        for volume in COMPOSE[name].get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith("./") or (ROOT / source).is_file(), volume


def test_prometheus_asks_where_the_admin_port_answers() -> None:
    (scraped,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["127.0.0.1:8081"]}]
    # Its own 127.0.0.1 is knlite's, whose admin port is not opened for it.
    assert COMPOSE["prometheus"]["network_mode"] == "service:knlite"
    assert not any("admin" in word for word in COMPOSE["knlite"]["command"])


def test_grafana_finds_what_it_shows() -> None:
    urls = {each["uid"]: each["url"] for each in DATASOURCES}
    # In knlite's network Prometheus has knlite's name.
    assert urls == {"prometheus": "http://knlite:9090", "jaeger": "http://jaeger:16686"}
    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    assert used <= urls.keys()


def test_traces_go_to_jaeger() -> None:
    data = json.loads((FOLDER / "config-observability.json").read_text())["data"]
    config = parse(data).tracing
    assert config.endpoint == "http://jaeger:4318/v1/traces"
    assert (config.protocol, config.rate) == ("http/protobuf", 1.0)
    assert "jaeger" in COMPOSE
