"""google/go-containerregistry ``pkg/name``, weak validation: what names an image."""

import pytest

from knlite.kinds.podspec.imagereference import is_image_reference

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    "text",
    [
        "busybox",
        "busybox:1.36",
        "library/busybox",
        "ghcr.io/knative/helloworld-go:latest",
        "localhost:5000/shop",
        "localhost:5000/shop:v1",
        "[::1]:5000/shop",
        "ko://github.com/knative/serving",
        f"shop@{DIGEST}",
        f"example.com/shop:v1@{DIGEST}",
        "shop:",
        "a_b/c-d.e",
    ],
)
def test_accepts(text: str) -> None:
    assert is_image_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "Shop",
        "shop:a b",
        "shop:tag:tag",
        "shop@sha256:abc",
        f"shop@{DIGEST}@{DIGEST}",
        f"shop@md5:{'0' * 64}",
        "exa mple.com/shop",
        "x" * 256,
        "shop:" + "x" * 129,
        "foo$bar",
        "shop\n",
    ],
)
def test_refuses(text: str) -> None:
    assert not is_image_reference(text)
