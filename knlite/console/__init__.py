"""The console: its page, and what the page asks besides the Kubernetes API."""
