"""config-network and config-domain: how names of routes are made.

Source: knative/networking ``pkg/config/config.go``, knative/serving
``pkg/reconciler/route/config``; Knative reference §5.1.
Differs: what concerns certificates that a cluster makes by itself, meshes and ingress classes is
known but has no effect.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from knlite.kinds.config.templates import fill
from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.labels import VISIBILITY

NAME = "config-network"
DOMAIN_NAME = "config-domain"
LOCAL_DOMAIN = "svc.cluster.local"

KEYS: frozenset[str] = frozenset(
    {
        "domain-template",
        "domainTemplate",
        "tag-template",
        "tagTemplate",
        "default-external-scheme",
        "defaultExternalScheme",
        "rollout-duration",
        "rolloutDuration",
        "http-protocol",
        "httpProtocol",
        "autocreate-cluster-domain-claims",
        "autocreateClusterDomainClaims",
        # Without effect:
        "ingress-class",
        "ingress.class",
        "certificate-class",
        "certificate.class",
        "auto-tls",
        "autoTLS",
        "external-domain-tls",
        "cluster-local-domain-tls",
        "system-internal-tls",
        "internal-encryption",
        "enable-mesh-pod-addressability",
        "mesh-compatibility-mode",
        "namespace-wildcard-cert-selector",
    }
)

_LONGEST_LINE = 1_000
_HOST = re.compile(r"[^\s/?#@:]+")
_SELECTOR_LINE = re.compile(
    r"""\s+("[^"]*"|'[^']*'|[^\s:"'#]+)\s*:\s*("[^"]*"|'[^']*'|[^\s#"']*)"""
)
_COMMENT = re.compile(r"\s+#.*$|^\s*#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Templates use Go's syntax: ``{{.Name}}.{{.Namespace}}.{{.Domain}}``."""

    domain_template: str = "{{.Name}}.{{.Namespace}}.{{.Domain}}"
    tag_template: str = "{{.Tag}}-{{.Name}}"
    default_external_scheme: str = "http"
    rollout_duration: int = 0
    """Seconds; 0 switches at once."""
    http_protocol: str = "enabled"
    autocreate_cluster_domain_claims: bool = True
    """Whether a DomainMapping claims its domain by itself.

    Differs: upstream's default is false, so that an administrator decides who gets which domain;
    here that is the one person who also writes the mapping.
    """


@dataclass(frozen=True, slots=True)
class DomainConfig:
    """Domain to the labels a Route must have to get it; no labels make it the default.

    Differs: without configuration the domain is ``localhost``, so that URLs work from the host.
    """

    domains: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"localhost": {}})

    def domain_for(self, labels: Mapping[str, str]) -> str:
        """The domain of a Route with *labels*: most selector keys wins, then the smallest name."""
        if labels.get(VISIBILITY) == "cluster-local":
            return LOCAL_DOMAIN
        matching = [
            (-len(selector), domain)
            for domain, selector in self.domains.items()
            if selector.items() <= labels.items()
        ]
        return min(matching, default=(0, LOCAL_DOMAIN))[1]


def parse(data: Mapping[str, str]) -> NetworkConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    values = Values(data)
    standard = NetworkConfig()

    def text(key: str, legacy_key: str, default: str) -> str:
        return values.text(key, values.text(legacy_key, default))

    rollout = values.integer(
        "rollout-duration", values.integer("rolloutDuration", standard.rollout_duration)
    )
    if rollout < 0:
        raise ConfigInvalid(f"rollout-duration must be a positive integer, but was {rollout}")
    for key in ("system-internal-tls", "cluster-local-domain-tls"):
        found = data.get(key, "")
        if found.lower() not in ("", "disabled", "enabled"):
            raise ConfigInvalid(
                f'{key} with value: "{found}" in config-network ConfigMap is not supported'
            )
    config = NetworkConfig(
        domain_template=text("domain-template", "domainTemplate", standard.domain_template),
        tag_template=text("tag-template", "tagTemplate", standard.tag_template),
        default_external_scheme=text(
            "default-external-scheme", "defaultExternalScheme", standard.default_external_scheme
        ),
        rollout_duration=rollout,
        http_protocol=_http_protocol(text("http-protocol", "httpProtocol", "")),
        autocreate_cluster_domain_claims=values.flag(
            "autocreate-cluster-domain-claims",
            values.flag("autocreateClusterDomainClaims", standard.autocreate_cluster_domain_claims),
        ),
    )
    _check_templates(config)
    return config


def parse_domain(data: Mapping[str, str]) -> DomainConfig:
    """The section that *data* describes; raises ``ConfigInvalid``.

    As upstream, Routes that no selector matches are cluster-local unless a domain has none.
    """
    domains = {
        domain: _selector(domain, text)
        for domain, text in data.items()
        if not domain.startswith("_")
    }
    if not domains:
        return DomainConfig()
    if all(domains.values()):
        domains[LOCAL_DOMAIN] = {}
    return DomainConfig(domains)


def _http_protocol(text: str) -> str:
    protocol = text.lower() or "enabled"
    if protocol not in ("enabled", "disabled", "redirected"):
        raise ConfigInvalid(f"httpProtocol {text} in config-network ConfigMap is not supported")
    return protocol


def _check_templates(config: NetworkConfig) -> None:
    """Both templates are tried on an example, as upstream's webhook does."""
    example = {"Name": "foo", "Namespace": "bar", "Domain": "baz.com"}
    host, slash, path = fill(config.domain_template, example).partition("/")
    if slash:
        raise ConfigInvalid(f"domain template has url path: /{path}")
    if not _HOST.fullmatch(host):
        raise ConfigInvalid(f"domain-template gives no host: {host!r}")
    fill(config.tag_template, {"Tag": "v2", "Name": "foo"})


class _DomainDocument(msgspec.Struct):
    selector: Mapping[str, str] = msgspec.field(default_factory=dict)


def _selector(domain: str, text: str) -> Mapping[str, str]:
    """The selector in the document below *domain*.

    Rules own no YAML parser; block maps of plain text and JSON are all that anyone writes here.
    """
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=_DomainDocument).selector
        except msgspec.DecodeError as exc:
            raise ConfigInvalid(f'failed to parse "{domain}": {exc}') from exc
    selector: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if len(line) > _LONGEST_LINE:
            raise ConfigInvalid(f'failed to parse "{domain}": {line[:40]!r}… is no label: value')
        content = _COMMENT.sub("", line).rstrip()
        if not content:
            continue
        entry = _SELECTOR_LINE.fullmatch(content)
        if entry is not None and section == "selector":
            selector[_unquoted(entry[1])] = _unquoted(entry[2])
        elif not content[0].isspace():
            section, colon, rest = content.partition(":")
            if not colon or (section == "selector" and rest.strip() not in ("", "{}")):
                raise ConfigInvalid(
                    f'failed to parse "{domain}": {line!r}; write "selector:" and below it,'
                    " indented, one label: value on each line"
                )
        elif section == "selector":
            raise ConfigInvalid(f'failed to parse "{domain}": {line!r} is not a label: value')
    return selector


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in ("'", '"') else text
