"""The Kubernetes kinds that Knative objects refer to, or that clients look at."""
