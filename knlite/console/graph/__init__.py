"""The graph of a run: which objects send events and requests to which, as the map draws them."""
