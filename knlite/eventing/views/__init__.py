"""What Kubernetes clients see of Eventing's objects, computed when they read it."""
