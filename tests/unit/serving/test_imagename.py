"""Names of images (Knative reference §1.9; ``kn``'s lock-to-digest)."""

import pytest

from knlite.serving.imagename import asked_as, at_digest, names_of, registry_of

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("declared", "asked", "same"),
    [
        ("reg.io/f", "reg.io/f:latest", True),
        ("docker.io/library/f", "f:latest", True),
        ("index.docker.io/me/f", "me/f", True),
        ("reg.io/f:1", "reg.io/f:2", False),
        ("reg.io:5000/f", "reg.io:5000/f:latest", True),
        ("reg.io/f:1", f"reg.io/f@{DIGEST}", True),
        ("reg.io/f:1", f"reg.io/f:1@{DIGEST}", True),
        ("reg.io/f:1", f"reg.io/g@{DIGEST}", False),
        (f"reg.io/f@{DIGEST}", f"reg.io/f@{DIGEST}", True),
        (f"reg.io/f@{DIGEST}", "reg.io/f", False),
        ("", "f", False),
    ],
)
def test_a_digest_means_whatever_its_repository_declares(
    declared: str, asked: str, same: bool
) -> None:
    assert bool({*names_of(declared)} & {*asked_as(asked)}) is same


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("reg.io:5000/a/b:1", f"reg.io:5000/a/b@{DIGEST}"),
        ("b", f"b@{DIGEST}"),
        (f"b:1@sha256:{'0' * 64}", f"b@{DIGEST}"),
    ],
)
def test_a_digest_takes_the_place_of_the_tag(image: str, pinned: str) -> None:
    assert at_digest(image, DIGEST) == pinned


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx", "index.docker.io"),
        ("me/nginx:1", "index.docker.io"),
        ("docker.io/me/nginx", "index.docker.io"),
        ("ko.local/hello", "ko.local"),
        ("localhost:5000/x", "localhost:5000"),
    ],
)
def test_the_first_part_is_a_registry_if_it_looks_like_a_host(image: str, registry: str) -> None:
    assert registry_of(image) == registry
