"""The nouns: every kind that knlite stores, its fields, defaults, checks and conditions (pure).

A kind is a module of its group (``core``, ``serving``, ``eventing``, ``sources``), and an entry in
the ``catalog.py`` of that group; ``catalog.py`` here finds it by its names. ``admission.py``
defaults and validates an object of any kind. ``podspec`` holds what every template has, ``config``
the ``config-*`` ConfigMaps, ``patch`` the ways to change a document.
"""
