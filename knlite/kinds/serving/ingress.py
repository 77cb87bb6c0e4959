"""Ingress: hosts, and the shares of revisions behind them.

Written by the Route's reconciler, programmed into the data plane by the projector, which alone
writes the status.

Source: ``networking.internal.knative.dev/v1alpha1`` Ingress; Knative reference §5.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object

CONDITIONS = ConditionSet(("LoadBalancerReady", "NetworkConfigured"))

Visibility = Literal["ExternalIP", "ClusterLocal"]


class Split(Fields):
    """A share of the requests for one revision; the headers are set on each of them."""

    service_namespace: str = ""
    service_name: str = ""
    percent: int = 0
    append_headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class Rule(Fields):
    """Requests for *hosts* go to *splits*, whose percents sum to 100."""

    hosts: tuple[str, ...] = ()
    visibility: Visibility = "ExternalIP"
    splits: tuple[Split, ...] = ()


class IngressSpec(Fields):
    rules: tuple[Rule, ...] = ()


class IngressStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()


class Ingress(Object):
    """What the data plane has to know of one Route."""

    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()
