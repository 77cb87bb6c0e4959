"""Deployments and Jobs to Pods."""
