"""serving.knative.dev and the internal kinds behind it."""
