"""``knlite bench``: how quick a Service of a running knlite is, from zero and warm."""
