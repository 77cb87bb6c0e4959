"""Traces: what happened to requests and events, as spans. Where they go: ``telemetry/otlp``."""
