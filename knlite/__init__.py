"""knlite: Knative Serving and Eventing in one process, on one machine, without Kubernetes."""

__version__ = "0.1.0"
