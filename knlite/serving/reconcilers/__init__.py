"""Serving's reconcilers, one kind each; they speak through objects only."""
