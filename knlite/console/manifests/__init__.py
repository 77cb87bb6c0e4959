"""Objects as text: all of them by name, one as YAML, and what a text of YAML would change."""
