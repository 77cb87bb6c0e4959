"""Every label and annotation that knlite reads or writes, with what it means, declared once."""

from collections.abc import Mapping
from typing import Final

GROUP: Final = "serving.knative.dev"

# Written by Serving's reconcilers.
CONFIGURATION: Final = f"{GROUP}/configuration"
"""Label of a Revision: the Configuration it was stamped from."""
CONFIGURATION_GENERATION: Final = f"{GROUP}/configurationGeneration"
"""Label of a Revision: the generation of that Configuration."""
CONFIGURATION_UID: Final = f"{GROUP}/configurationUID"
SERVICE: Final = f"{GROUP}/service"
"""Label of everything below a Service."""
SERVICE_UID: Final = f"{GROUP}/serviceUID"
REVISION: Final = f"{GROUP}/revision"
"""Label of an instance: its Revision."""
REVISION_UID: Final = f"{GROUP}/revisionUID"
ROUTE: Final = f"{GROUP}/route"
"""Label of what belongs to a Route: its Ingress and its placeholder Services."""
ROUTE_NAMESPACE: Final = f"{GROUP}/routeNamespace"
ROLLOUT: Final = "networking.internal.knative.dev/rollout"
"""Annotation of an Ingress: how far its gradual rollouts have come, as JSON."""
DOMAIN_MAPPING_UID: Final = f"{GROUP}/domainMappingUID"
"""Label of an Ingress: the DomainMapping it belongs to."""
DOMAIN_MAPPING_NAMESPACE: Final = f"{GROUP}/domainMappingNamespace"
ROUTING_STATE: Final = f"{GROUP}/routingState"
"""Label of a Revision: ``pending``, ``active`` or ``reserve``."""
ROUTING_STATE_MODIFIED: Final = f"{GROUP}/routingStateModified"
"""Annotation of a Revision: when its routing state changed."""
ROUTES: Final = f"{GROUP}/routes"
"""Annotation of a Configuration or Revision: the Routes that refer to it, comma separated."""
CREATOR: Final = f"{GROUP}/creator"
LAST_MODIFIER: Final = f"{GROUP}/lastModifier"
EVENTING_CREATOR: Final = "eventing.knative.dev/creator"
EVENTING_LAST_MODIFIER: Final = "eventing.knative.dev/lastModifier"

# Read from manifests.
ROLLOUT_DURATION: Final = f"{GROUP}/rollout-duration"
"""Annotation of a Service or Route: how long a new revision takes to get all requests."""
ROLLOUT_DURATION_OLD: Final = f"{GROUP}/rolloutDuration"
PROGRESS_DEADLINE: Final = f"{GROUP}/progress-deadline"
"""Annotation of a template: how long its first instance may take; a Go duration."""
NO_GC: Final = f"{GROUP}/no-gc"
"""Annotation of a Revision: ``true`` keeps it although nothing needs it any more."""
NETWORKING: Final = "networking.knative.dev"
HTTP_PROTOCOL: Final = f"{NETWORKING}/http-protocol"
"""Annotation of a Service, Route or DomainMapping: ``enabled`` or ``redirected``."""
VISIBILITY: Final = f"{NETWORKING}/visibility"
"""Label of a Service or Route: ``cluster-local`` hides it from outside."""
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation in which ``kubectl apply`` keeps what it said; never handed down to children."""

# autoscaling.knative.dev, on templates.
AUTOSCALING: Final = "autoscaling.knative.dev"
CLASS: Final = f"{AUTOSCALING}/class"
METRIC: Final = f"{AUTOSCALING}/metric"
TARGET: Final = f"{AUTOSCALING}/target"
TARGET_UTILIZATION: Final = f"{AUTOSCALING}/target-utilization-percentage"
TARGET_BURST_CAPACITY: Final = f"{AUTOSCALING}/target-burst-capacity"
WINDOW: Final = f"{AUTOSCALING}/window"
PANIC_WINDOW: Final = f"{AUTOSCALING}/panic-window-percentage"
PANIC_THRESHOLD: Final = f"{AUTOSCALING}/panic-threshold-percentage"
MIN_SCALE: Final = f"{AUTOSCALING}/min-scale"
MAX_SCALE: Final = f"{AUTOSCALING}/max-scale"
INITIAL_SCALE: Final = f"{AUTOSCALING}/initial-scale"
ACTIVATION_SCALE: Final = f"{AUTOSCALING}/activation-scale"
SCALE_DOWN_DELAY: Final = f"{AUTOSCALING}/scale-down-delay"
POD_RETENTION: Final = f"{AUTOSCALING}/scale-to-zero-pod-retention-period"
AGGREGATION: Final = f"{AUTOSCALING}/metric-aggregation-algorithm"

# Eventing.
BROKER_CLASS: Final = "eventing.knative.dev/broker.class"
"""Annotation of a Broker: the engine behind it."""
BROKER: Final = "eventing.knative.dev/broker"
"""Label of a Trigger: its Broker."""
INJECTION: Final = "eventing.knative.dev/injection"
DEPENDENCY: Final = "knative.dev/dependency"
"""Annotation of a Trigger: an object that must be ready first, as JSON."""
DELIVERY_ORDER: Final = "kafka.eventing.knative.dev/delivery.order"
"""Annotation of a Trigger: ``ordered`` delivers one event at a time; else ``unordered``."""
PARALLELISM: Final = "rabbitmq.eventing.knative.dev/parallelism"
"""Annotation of a Trigger: how many events may be on their way at once, 1 to 1000."""
SOURCE_NAME: Final = "eventing.knative.dev/sourceName"
"""Label of an EventType: the source that it belongs to."""
BINDING_EXCLUDE: Final = "bindings.knative.dev/exclude"

# knlite's own, on templates.
COMMAND: Final = "knlite.dev/command"
"""Annotation of a template: a plain local command that listens on ``$PORT``."""
WORKDIR: Final = "knlite.dev/workdir"
"""Annotation of a template: the folder of that command, relative to the manifest's."""


def routes_of(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The Routes that *annotations* of a Configuration or Revision name."""
    text = annotations.get(ROUTES)
    return tuple(each for each in text.split(",") if each) if text else ()
