"""sinks.knative.dev."""
