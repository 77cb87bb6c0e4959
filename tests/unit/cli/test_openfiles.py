"""A gateway takes the open files that it may have."""

import resource

from knlite.cli.openfiles import WANTED, allow_open_files


def test_the_soft_limit_is_raised_as_far_as_it_goes() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        allowed = allow_open_files()
        assert allowed == (WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (allowed, hard)
        assert allow_open_files() == allowed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
