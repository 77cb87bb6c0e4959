"""Function projects: reading ``func.yaml``, installing requirements, the runners inside."""
