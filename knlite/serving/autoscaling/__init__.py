"""How many instances a revision gets."""
