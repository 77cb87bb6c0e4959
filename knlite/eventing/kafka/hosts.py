"""The hosts at which events for Kafka are taken in, each with ``/NAMESPACE/NAME``.

Source: Eventing data plane reference §8.
"""

from typing import Final

from knlite.eventing.channels import CLUSTER_DOMAIN

BROKERS: Final = f"kafka-broker-ingress.knative-eventing.{CLUSTER_DOMAIN}"
SINKS: Final = f"kafka-sink-ingress.knative-eventing.{CLUSTER_DOMAIN}"
CHANNELS: Final = f"kafka-channel-ingress.knative-eventing.{CLUSTER_DOMAIN}"
"""Channels have hosts of their own besides."""
