"""Bytes: HTTP/1.1 as event loop callbacks, on both sides, with flow control."""
