"""What Kubernetes clients look at and nobody stores: computed from Knative's objects when read."""
