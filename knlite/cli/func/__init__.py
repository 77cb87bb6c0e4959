"""``knlite func``: functions, as the ``func`` command line has them."""
