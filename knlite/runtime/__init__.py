"""Runtimes: what turns a workload into a running instance, each behind ``port.py``."""
