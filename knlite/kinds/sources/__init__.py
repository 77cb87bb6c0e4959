"""sources.knative.dev."""
