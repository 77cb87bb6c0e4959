"""Event logs: where a broker keeps accepted events, each engine behind ``port.py``."""
