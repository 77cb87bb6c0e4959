"""``knlite top``: what a running knlite does, live, in a terminal."""
