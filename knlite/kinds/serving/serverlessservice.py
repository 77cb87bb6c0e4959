"""ServerlessService: whether requests for a revision pass the activator, and where they go.

Source: ``networking.internal.knative.dev/v1alpha1`` ServerlessService; Knative reference §2.6.
Not here: how it is made of a PodAutoscaler (``serving/views/serverlessservice.py``).
"""

from typing import Literal

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.meta import Fields, Object

ENDPOINTS_POPULATED = "EndpointsPopulated"
ACTIVATOR_ENDPOINTS_POPULATED = "ActivatorEndpointsPopulated"
"""Informational: whether the activator is in the path."""

CONDITIONS = ConditionSet((ENDPOINTS_POPULATED,))

LABEL = "networking.internal.knative.dev/serverlessservice"
SERVICE_TYPE = "networking.internal.knative.dev/serviceType"
"""Label of what belongs to it: ``Public`` for what the ingress uses, ``Private`` for instances."""


class ServerlessServiceSpec(Fields):
    mode: Literal["", "Serve", "Proxy"] = ""
    object_ref: ObjectReference = ObjectReference()
    protocol_type: str = ""
    num_activators: int = 0


class ServerlessServiceStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    service_name: str = ""
    private_service_name: str = ""


class ServerlessService(Object):
    """The path of requests to one revision."""

    spec: ServerlessServiceSpec = ServerlessServiceSpec()
    status: ServerlessServiceStatus = ServerlessServiceStatus()
