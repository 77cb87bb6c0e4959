"""What can be read off a filter without an event."""

from typing import TypeAlias

Clue: TypeAlias = frozenset[tuple[str, str]]
"""Attributes with their texts (``lookup.py``), of which every event that passes has at least one.

It says what is needed, not what suffices.
"""
