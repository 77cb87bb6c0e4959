"""Which packages fit the Python of a base."""

import pytest

from knlite.runtime.docker.base import BasePython


@pytest.mark.parametrize(
    ("libc", "architecture", "platform"),
    [
        ("glibc 2.36", "amd64", "x86_64-manylinux_2_28"),
        ("glibc 2.28", "arm64", "aarch64-manylinux_2_28"),
        ("glibc 2.17", "amd64", "x86_64-manylinux2014"),
        ("", "amd64", "x86_64-unknown-linux-musl"),
    ],
)
def test_packages_fit_the_base_not_this_machine(
    libc: str, architecture: str, platform: str
) -> None:
    python = BasePython(program="python3", version="3.12", bytecode="", libc=libc)
    assert python.platform(architecture) == platform
