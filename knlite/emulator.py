"""The composition root: builds the rooms and joins them; wiring only."""
