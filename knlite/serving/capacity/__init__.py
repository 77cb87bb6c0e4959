"""Who may run where, and who waits."""
