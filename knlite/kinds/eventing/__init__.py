"""eventing.knative.dev and the fields its kinds share."""
