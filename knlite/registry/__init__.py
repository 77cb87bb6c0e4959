"""The front desk: the only way in for objects, and the store behind it.

``registry.py`` is what everybody else talks to. A write passes, in this order:

* ``write.py`` says how it is wanted, ``generatename.py`` completes its name,
  ``fieldvalidation.py`` makes an object of a document, ``fieldmanagement.py`` notes who owns
  which field,
* ``preconditions.py`` and ``admission.py`` refuse it or let it in; ``configmaps.py`` reads the
  configuration that they go by,
* ``commits.py`` counts it, puts it into ``store.py`` and ``watch.py``, and tells who listens,
* ``deletion.py`` takes along what goes with an object that goes.

Reads see the store, and beside it objects that nobody stores: ``derived.py`` computes them,
``derivedchanges.py`` lets clients watch them. Reconcilers read through ``recordingview.py``, which
notes what they depend on.

With a data directory ``writebehind.py`` keeps what was committed, a moment later, in a storage:
``storage.py`` is the port, ``sqlite.py`` one side of it.
"""
