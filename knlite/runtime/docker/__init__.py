"""Containers on any engine that speaks the Docker API."""
