"""Ingress: hosts, and the shares of revisions behind them.

Written by the reconcilers of Routes and DomainMappings, programmed into the data plane by the
projector, which alone writes the status.

Source: ``networking.internal.knative.dev/v1alpha1`` Ingress; Knative reference §5.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object

LOAD_BALANCER_READY = "LoadBalancerReady"
NETWORK_CONFIGURED = "NetworkConfigured"

CONDITIONS = ConditionSet((LOAD_BALANCER_READY, NETWORK_CONFIGURED))

Visibility = Literal["ExternalIP", "ClusterLocal"]
HTTPOption = Literal["Enabled", "Redirected"]

TAG_HEADER = "Knative-Serving-Tag"
"""By which a request to a route asks for one of its tags (§5.4)."""
DEFAULT_ROUTE_HEADER = "Knative-Serving-Default-Route"
"""Says that a request was not sent to a tag."""


class Split(Fields):
    """A share of the requests for one revision; the headers are set on each of them."""

    service_namespace: str = ""
    service_name: str = ""
    percent: int = 0
    append_headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class HeaderMatch(Fields):
    """What a header's value must be."""

    exact: str = ""


class Path(Fields):
    """Requests whose headers are all as in *headers* go to *splits*."""

    headers: Mapping[str, HeaderMatch] = msgspec.field(default_factory=dict)
    splits: tuple[Split, ...] = ()
    append_headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Set on the request, in the place of what the client said."""


class Rule(Fields):
    """Requests for *hosts* go to the first of *paths* that they match, else to *splits*.

    Percents of splits sum to 100. Differs: upstream's last path is the one without conditions.
    """

    hosts: tuple[str, ...] = ()
    visibility: Visibility = "ExternalIP"
    paths: tuple[Path, ...] = ()
    splits: tuple[Split, ...] = ()
    append_headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """As those of a path, for requests that go to *splits*."""
    rewrite_host: str = ""
    """Requests are routed as if they named this host; the instance sees the one that they name."""


class IngressTLS(Fields):
    """The Secret with the certificate of *hosts*."""

    hosts: tuple[str, ...] = ()
    secret_name: str = ""
    secret_namespace: str = ""


class IngressSpec(Fields):
    rules: tuple[Rule, ...] = ()
    http_option: HTTPOption = "Enabled"
    """What plain HTTP gets; only hosts of ``tls`` can be sent on to HTTPS."""
    tls: tuple[IngressTLS, ...] = ()


class IngressStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()


class Ingress(Object):
    """What the data plane has to know of one Route or DomainMapping."""

    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()
