"""The admin port: the Kubernetes API over the registry, and knlite's own few paths.

``app.py`` is the table of paths, ``guard.py`` stands before it, ``serving.py`` puts it on a socket.
A request for objects goes through these:

* ``paths.py`` says what its path names, ``options.py`` what its query asks for, ``negotiation.py``
  which form of answer it accepts,
* ``bodies.py`` decodes what it brings (``protobuf.py`` for a few kinds), ``incoming.py`` makes an
  object or a patch of that,
* ``verbs.py`` does what it asks; ``lists.py`` and ``selectors.py`` choose objects, ``watching.py``
  follows them,
* ``answers.py`` gives the answer its form (``documents.py``, ``tables.py``, ``warnings.py``);
  ``status.py`` does for errors, of which ``refusals.py`` has those of this door alone.

What clients ask about the server is in ``about.py``: ``discovery.py``, ``openapi.py`` with the
sentences of ``fieldtexts.py``. Questions about the client are in ``reviews.py``, logs in
``podlogs.py`` and ``servicelogs.py``. ``ending.py`` ends what would go on for ever.
"""
