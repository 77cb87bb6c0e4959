"""Knative reference §1.4: config-defaults and its cross checks."""

import pytest

from knlite.kinds.config.defaults import KEYS, DefaultsConfig, container_name, parse
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.meta import ObjectMeta


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({"_example": "anything"}) == DefaultsConfig()


def test_reads_every_key() -> None:
    data = {
        "revision-timeout-seconds": "400",
        "max-revision-timeout-seconds": "900",
        "revision-response-start-timeout-seconds": "100",
        "revision-idle-timeout-seconds": "50",
        "container-concurrency": "5",
        "container-concurrency-max-limit": "10",
        "allow-container-concurrency-zero": "false",
        "enable-service-links": "TRUE",
        "revision-cpu-request": "400m",
        "revision-memory-request": "100M",
        "revision-ephemeral-storage-request": "500M",
        "revision-cpu-limit": "1",
        "revision-memory-limit": "200M",
        "revision-ephemeral-storage-limit": "750M",
        "container-name-template": "{{.Name}}",
        "init-container-name-template": "init",
    }
    assert data.keys() == KEYS
    assert parse(data) == DefaultsConfig(
        revision_timeout_seconds=400,
        max_revision_timeout_seconds=900,
        revision_response_start_timeout_seconds=100,
        revision_idle_timeout_seconds=50,
        container_concurrency=5,
        container_concurrency_max_limit=10,
        allow_container_concurrency_zero=False,
        enable_service_links=True,
        revision_cpu_request="400m",
        revision_memory_request="100M",
        revision_ephemeral_storage_request="500M",
        revision_cpu_limit="1",
        revision_memory_limit="200M",
        revision_ephemeral_storage_limit="750M",
        container_name_template="{{.Name}}",
        init_container_name_template="init",
    )


def test_the_first_byte_may_take_as_long_as_the_whole_request_unless_said() -> None:
    assert parse({"revision-timeout-seconds": "7"}).revision_response_start_timeout_seconds == 7


@pytest.mark.parametrize(("text", "links"), [("false", False), ("default", None), ("x", None)])
def test_service_links_have_three_states(text: str, links: bool | None) -> None:
    assert parse({"enable-service-links": text}).enable_service_links is links


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(
            {"revision-timeout-seconds": "601"},
            "revision-timeout-seconds (601) cannot be greater than"
            " max-revision-timeout-seconds (600)",
            id="timeout above maximum",
        ),
        pytest.param(
            {"revision-response-start-timeout-seconds": "301"},
            "revision-response-start-timeout-seconds (301) cannot be greater than"
            " revision-timeout-seconds (300)",
            id="response start above timeout",
        ),
        pytest.param(
            {"revision-idle-timeout-seconds": "301"},
            "revision-idle-timeout-seconds (301) cannot be greater than"
            " revision-timeout-seconds (300)",
            id="idle above timeout",
        ),
        pytest.param(
            {"container-concurrency-max-limit": "0"},
            "expected 1 <= 0 <= 2147483647: container-concurrency-max-limit",
            id="no concurrency at all",
        ),
        pytest.param(
            {"container-concurrency": "1001"},
            "expected 0 <= 1001 <= 1000: container-concurrency",
            id="concurrency above its limit",
        ),
        pytest.param(
            {"revision-timeout-seconds": "5m"},
            'failed to parse "revision-timeout-seconds": strconv.ParseInt: parsing'
            ' "5m": invalid syntax',
            id="not an integer",
        ),
        pytest.param(
            {"revision-cpu-limit": "a lot"},
            'failed to parse "revision-cpu-limit": quantities must match the regular expression'
            " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            id="not a quantity",
        ),
        pytest.param(
            {"container-name-template": "{{.Nmae}}"},
            "{{.Nmae}} is not understood in a template;"
            " known are {{.Name}}, {{.GenerateName}}, {{.Namespace}}",
            id="template",
        ),
    ],
)
def test_refuses_what_the_webhook_refuses(data: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse(data)
    assert str(refused.value) == text


def test_a_container_may_be_named_after_its_parent() -> None:
    parent = ObjectMeta(name="shop", labels={"team": "a"})
    template = '{{ .Name }}-{{index .Labels "team"}}{{index .Annotations "no"}}'
    assert container_name(template, parent) == "shop-a"
