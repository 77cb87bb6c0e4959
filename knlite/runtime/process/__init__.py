"""Any command as an instance: a process group of its own, on a port of its own."""
