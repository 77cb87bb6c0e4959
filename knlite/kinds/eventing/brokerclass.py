"""The classes of Brokers that knlite has: where each keeps its events."""

MT_CLASS = "MTChannelBasedBroker"
"""In memory, as Knative's own with its InMemoryChannel."""
SQLITE_CLASS = "knlite.dev/SQLite"
"""In a file below ``--data-dir``."""
