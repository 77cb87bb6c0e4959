"""What the data plane is told of a Route: hosts, who may ask for them, and the shares behind them.

Source: knative/serving ``pkg/reconciler/route/resources/ingress.go``, ``pkg/networking/util.go``;
Knative reference §5.1 to §5.4, §5.7.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.features import TAG_HEADER_BASED_ROUTING
from knlite.kinds.serving.annotations import http_protocol
from knlite.kinds.serving.ingress import (
    DEFAULT_ROUTE_HEADER,
    TAG_HEADER,
    HeaderMatch,
    HTTPOption,
    IngressSpec,
    Path,
    Rule,
    Split,
)
from knlite.kinds.serving.route import Route, TrafficTarget
from knlite.serving.domains import local_hosts, public_host, tagged_name
from knlite.serving.rollout import Rollout
from knlite.serving.traffic import shares


class HTTPProtocolError(ValueError):
    """An annotation asks for a protocol that there is not."""


def http_option(annotations: Mapping[str, str], config: Config) -> HTTPOption:
    """What becomes of plain HTTP: it is served, or sent on to HTTPS. Raises HTTPProtocolError."""
    said = http_protocol(annotations).lower()
    if said not in ("", "enabled", "redirected"):
        raise HTTPProtocolError(f"incorrect http-protocol annotation: {said}")
    return "Redirected" if (said or config.network.http_protocol) == "redirected" else "Enabled"


def ingress_spec(
    route: Route,
    targets: Mapping[str, Sequence[TrafficTarget]],
    rollout: Rollout,
    local: frozenset[str],
    config: Config,
) -> IngressSpec:
    """The rules of *route*: its own hosts, then each tag's. *local* tags have none outside.

    Of what is public, the rule for outside comes right after the one for inside. Raises
    ``DomainError``, ``HTTPProtocolError``.
    """
    namespace = route.metadata.namespace
    splits = {
        tag: tuple(
            Split(service_namespace=namespace, service_name=name, percent=percent)
            for name, percent in shares(group, rollout, tag)
        )
        for tag, group in targets.items()
    }
    by_header = config.features.enabled(TAG_HEADER_BASED_ROUTING)
    rules: list[Rule] = []
    for tag, chosen in splits.items():
        rule = Rule(splits=chosen)
        if by_header and tag:
            rule = replace(rule, append_headers={TAG_HEADER: tag})
        elif by_header:
            paths = tuple(
                Path(headers={TAG_HEADER: HeaderMatch(exact=each)}, splits=splits[each])
                for each in splits
                if each
            )
            rule = replace(rule, paths=paths, append_headers={DEFAULT_ROUTE_HEADER: "true"})
        rules += _on_hosts(rule, route, tag, tag in local, config)
    return IngressSpec(
        rules=tuple(rules), http_option=http_option(route.metadata.annotations, config)
    )


def _on_hosts(rule: Rule, route: Route, tag: str, local: bool, config: Config) -> Iterable[Rule]:
    """*rule* for the hosts inside the cluster and, unless they are *local*, outside."""
    hosts = local_hosts(route.metadata.namespace, tagged_name(route, tag, config))
    yield replace(rule, hosts=hosts, visibility="ClusterLocal")
    if not local:
        yield replace(rule, hosts=(public_host(route, tag, config),), visibility="ExternalIP")
