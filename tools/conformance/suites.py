"""The packages of Knative Serving's tests, and the settings each is run under upstream.

The settings are those of upstream's ``test/e2e-tests.sh``, which turns a feature on, runs the
package that needs it, and turns it off again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.kinds.config.observability import DEFAULT_TEMPLATE

SERVING = "knative.dev/serving/test"


@dataclass(frozen=True, slots=True)
class Suite:
    """One package of tests: its import path below upstream's ``test``."""

    package: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """``<ConfigMap>.<key>`` and the value it has while the suite runs."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Tests that are not run, since they cannot pass, and why."""
    outward: tuple[str, ...] = ()
    """Tests that ask the Internet, and are not run where it cannot be reached."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What there is to know about the result of a test."""
    tag: str = "e2e"
    """The build tag of its files."""


CONFORMANCE = {
    "api-v1": Suite("conformance/api/v1"),
    "api-v1beta1": Suite("conformance/api/v1beta1"),
    "runtime": Suite("conformance/runtime"),
}
E2E = {
    "e2e-basics": Suite(
        "e2e",
        {
            "config-observability.logging.enable-request-log": "true",
            "config-observability.logging.request-log-template": DEFAULT_TEMPLATE,
        },
        without={
            "TestQueueSideCarResourceLimit": "there is no queue-proxy container to limit",
            "TestResourceQuotaError": "there is no ResourceQuota",
        },
        outward=("TestEgressTraffic",),
        notes={
            "TestCallToPublicService": "passes by the cluster's name; fails by the ingress"
            " endpoint 127.0.0.1, which in a container is the container",
            "TestHelloHTTP2WithEmptyPortName": "skipped by upstream",
            "TestRequestLogs": "requests; probes are no requests here and are not logged",
        },
    ),
    "e2e-tagheader": Suite(
        "e2e/tagheader", {"config-features.tag-header-based-routing": "Enabled"}
    ),
    "e2e-initscale": Suite("e2e/initscale", {"config-autoscaler.allow-zero-initial-scale": "true"}),
    "e2e-domainmapping": Suite("e2e/domainmapping"),
    "e2e-gc": Suite(
        "e2e/gc",
        {
            "config-gc.retain-since-create-time": "disabled",
            "config-gc.retain-since-last-active-time": "disabled",
            "config-gc.min-non-active-revisions": "0",
            "config-gc.max-non-active-revisions": "0",
        },
    ),
    "e2e-hpa": Suite(
        "e2e", tag="hpa", notes={"TestHPAAutoscaleUpDownUpMem": "skipped by upstream"}
    ),
    "e2e-initcontainers": Suite(
        "e2e/initcontainers", {"config-features.kubernetes.podspec-init-containers": "Enabled"}
    ),
    "e2e-probing": Suite(
        "e2e/multicontainerprobing", {"config-features.multi-container-probing": "Enabled"}
    ),
    "e2e-pvc": Suite(
        "e2e/pvc",
        {
            "config-features.kubernetes.podspec-persistent-volume-claim": "Enabled",
            "config-features.kubernetes.podspec-persistent-volume-write": "Enabled",
            "config-features.kubernetes.podspec-securitycontext": "Enabled",
        },
    ),
    "e2e-securedefaults": Suite(
        "e2e/securedefaults", {"config-features.secure-pod-defaults": "Enabled"}
    ),
}
SUITES = {**CONFORMANCE, **E2E}
GROUPS = {"conformance": list(CONFORMANCE), "e2e": list(E2E), "all": list(SUITES)}
"""What one may ask for besides a suite; ``e2e`` is upstream's folder with all its parts."""
