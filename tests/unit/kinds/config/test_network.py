"""Knative reference §5.1, §5.2: config-network and config-domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.config.network import (
    KEYS,
    DomainConfig,
    NetworkConfig,
    parse,
    parse_domain,
)
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.labels import VISIBILITY


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({}) == NetworkConfig()


def test_reads_both_spellings_and_the_new_one_goes_first() -> None:
    config = parse(
        {
            "domain-template": '{{.Name}}.{{index .Labels "team"}}x.{{.Domain}}',
            "domainTemplate": "{{.Name}}.old",
            "tagTemplate": "{{.Name}}-{{.Tag}}",
            "default-external-scheme": "https",
            "rollout-duration": "30",
            "http-protocol": "Redirected",
            "system-internal-tls": "disabled",
        }
    )
    assert config == NetworkConfig(
        domain_template='{{.Name}}.{{index .Labels "team"}}x.{{.Domain}}',
        tag_template="{{.Name}}-{{.Tag}}",
        default_external_scheme="https",
        rollout_duration=30,
        http_protocol="redirected",
    )


def test_what_has_no_effect_is_known_all_the_same() -> None:
    assert {"ingress-class", "external-domain-tls", "autocreate-cluster-domain-claims"} <= KEYS


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"rollout-duration": "-1"},
            "rollout-duration must be a positive integer, but was -1",
        ),
        (
            {"http-protocol": "x"},
            "httpProtocol x in config-network ConfigMap is not supported",
        ),
        (
            {"domain-template": "{{.Name}}.{{.Domain}}/{{.Namespace}}"},
            "domain template has url path: /bar",
        ),
        ({"domain-template": ""}, "domain-template gives no host: ''"),
        (
            {"tag-template": "{{.Domain}}"},
            "{{.Domain}} is not understood in a template; known are {{.Tag}}, {{.Name}}",
        ),
        (
            {"domain-template": "{{if .Name}}x{{end}}"},
            "{{if .Name}} is not understood in a template;"
            " known are {{.Name}}, {{.Namespace}}, {{.Domain}}",
        ),
        (
            {"cluster-local-domain-tls": "x"},
            'cluster-local-domain-tls with value: "x" in config-network ConfigMap is not supported',
        ),
    ],
)
def test_refuses_what_the_webhook_refuses(data: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse(data)
    assert str(refused.value) == text


def test_without_configuration_the_domain_works_from_the_host() -> None:
    assert parse_domain({"_example": "x"}).domain_for({"app": "x"}) == "localhost"


def test_the_most_selective_domain_wins_then_the_smallest_name() -> None:
    config = parse_domain(
        {
            "b.example.com": "",
            "a.example.com": "",
            "one.example.com": "selector:\n  app: shop\n",
            "two.example.com": "selector:   # both\n  app: \"shop\"\n\n  tier/x: 'paid'\n",
            "json.example.com": '{"selector": {"app": "json"}}',
        }
    )
    assert config.domain_for({}) == "a.example.com"
    assert config.domain_for({"app": "shop"}) == "one.example.com"
    assert config.domain_for({"app": "shop", "tier/x": "paid"}) == "two.example.com"
    assert config.domain_for({"app": "json"}) == "json.example.com"


def test_routes_that_no_selector_matches_stay_inside() -> None:
    config = parse_domain({"example.com": "selector:\n  app: shop\ntype: wildcard\n"})
    assert config.domain_for({"app": "other"}) == "svc.cluster.local"


def test_a_hidden_route_stays_inside_whatever_is_configured() -> None:
    config = parse_domain({"example.com": ""})
    assert config.domain_for({VISIBILITY: "cluster-local"}) == "svc.cluster.local"


@pytest.mark.parametrize(
    "text",
    ["selector: {app: shop}", "selector:\n  just words here", "plain", '{"selector": 1}', "{"],
)
def test_refuses_a_selector_it_cannot_read(text: str) -> None:
    with pytest.raises(ConfigInvalid, match=r'failed to parse "example\.com"'):
        parse_domain({"example.com": text})


labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)


@given(st.dictionaries(st.sampled_from(["d1", "d2", "d3"]), labels, min_size=1), labels)
def test_the_domain_found_has_a_selector_that_matches(
    domains: dict[str, dict[str, str]], found: dict[str, str]
) -> None:
    domain = DomainConfig(domains).domain_for(found)
    matching = {name for name, selector in domains.items() if selector.items() <= found.items()}
    assert domain in (matching or {"svc.cluster.local"})
