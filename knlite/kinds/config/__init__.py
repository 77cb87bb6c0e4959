"""The ``config-*`` ConfigMaps as frozen values."""
