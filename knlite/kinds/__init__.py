"""The nouns: every kind that knlite stores, its fields, defaults, checks and conditions (pure)."""
