"""messaging.knative.dev: channels and subscriptions."""
