"""The front desk: the only way in for objects, and the store behind it."""
