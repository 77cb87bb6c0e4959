"""Trigger filters, one dialect per file; every verdict says why."""
