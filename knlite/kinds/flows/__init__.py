"""flows.knative.dev: channels and subscriptions made from a list of steps or branches."""
