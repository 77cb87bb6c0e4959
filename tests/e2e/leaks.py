"""That a secret has not got out: in what a run says, and in what it shows."""

import json

from tests.e2e.executable import Knlite

KINDS = (
    "apis/eventing.knative.dev/v1/brokers",
    "apis/eventing.knative.dev/v1/triggers",
    "apis/eventing.knative.dev/v1alpha1/kafkasinks",
    "apis/eventing.knative.dev/v1alpha1/rabbitmqbrokerconfigs",
    "apis/messaging.knative.dev/v1beta1/kafkachannels",
    "apis/sources.knative.dev/v1/kafkasources",
    "apis/sources.knative.dev/v1alpha1/rabbitmqsources",
    "api/v1/events",
    "knlite/events",
)


def kept(knlite: Knlite, secret: str) -> None:
    """Fails when *secret* stands where everybody may read."""
    assert secret not in knlite.stderr
    assert secret not in json.dumps(knlite.facts)
    for path in KINDS:
        assert secret not in knlite.admin.get(f"/{path}").text, path
