"""Workloads that no request wakes: Deployments and Jobs, as Kubernetes' own controllers do."""
