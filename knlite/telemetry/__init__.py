"""Readers of facts: metrics, logs, stories of requests and events."""
