"""Who writes objects when no person does: the service accounts of Knative's controllers.

Source: knative/serving and knative/eventing ``config/core/200-*-serviceaccount.yaml``.
"""

from typing import Final

SERVING_CONTROLLER: Final = "system:serviceaccount:knative-serving:controller"
EVENTING_CONTROLLER: Final = "system:serviceaccount:knative-eventing:eventing-controller"
