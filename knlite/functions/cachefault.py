"""What to say when the cache cannot be written: a full disk, or somebody else's folder.

Not here: what is in it (``cachecontents.py``).
"""

import errno
from pathlib import Path

from knlite.errors import InstanceFailed

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def of_cache(error: OSError, cache_dir: Path) -> bool:
    """Whether *error* comes from the cache rather than from what is copied into it."""
    names = (name for name in (error.filename, error.filename2) if isinstance(name, str))
    return error.errno in _OF_THE_DISK or any(
        Path(name).is_relative_to(cache_dir) for name in names
    )


def not_written(error: OSError, cache_dir: Path) -> InstanceFailed:
    """The failure of what needed the cache in *cache_dir*."""
    return InstanceFailed(
        "CacheNotWritten",
        f"{cache_dir} cannot be filled with what instances are started from",
        cause=f"{error.filename or cache_dir}: {error.strerror or error}",
        fix="make room there (knlite prune), or set XDG_CACHE_HOME to a folder that you may write",
    )
