"""Serving's rules: values in, values out; no I/O, no clock, no event loop."""
