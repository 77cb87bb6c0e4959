"""The HTTP door to the registry, shaped like a Kubernetes API server."""
