"""The part of a Kubernetes pod that Knative Serving accepts: fields, mask, defaults, checks."""
