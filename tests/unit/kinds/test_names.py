"""Kubernetes names, and knative/pkg's kmeta.ChildName."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.names import (
    child_name,
    label_1035_problems,
    label_1123_problems,
    qualified_name_problems,
    subdomain_1123_problems,
)


@pytest.mark.parametrize("name", ["a", "web", "web-2", "x" * 63])
def test_accepts_labels(name: str) -> None:
    assert label_1035_problems(name) == ()
    assert label_1123_problems(name) == ()


@pytest.mark.parametrize("name", ["", "Web", "-a", "a-", "a.b", "a_b", "a/b", "a\n", "x" * 64, "ä"])
def test_refuses_what_is_no_label(name: str) -> None:
    assert label_1035_problems(name)
    assert label_1123_problems(name)


def test_a_1035_label_starts_with_a_letter() -> None:
    assert label_1035_problems("1a")
    assert label_1123_problems("1a") == ()


def test_a_subdomain_has_dots() -> None:
    assert subdomain_1123_problems("a.b-c.d") == ()
    assert subdomain_1123_problems("a..b")


def test_a_short_child_name_is_the_sum() -> None:
    assert child_name("hello", "-00001") == "hello-00001"


def test_a_child_name_that_is_cut_in_its_suffix_is_still_a_name() -> None:
    parent, suffix = "a" * 30, "-oidc-eventing.knative.dev-trigger"
    name = child_name(parent, suffix)
    # The hyphen that follows would be its last character.
    assert name == parent + hashlib.md5((parent + suffix).encode()).hexdigest()
    assert not subdomain_1123_problems(name)


def test_a_long_child_name_keeps_its_suffix_and_a_hash_of_the_parent() -> None:
    parent = "x" * 63
    digest = hashlib.md5(parent.encode()).hexdigest()
    assert child_name(parent, "-00001") == "x" * 25 + digest + "-00001"


def test_a_suffix_that_leaves_no_room_is_hashed_with_the_parent() -> None:
    parent, suffix = "parent", "-" + "s" * 60
    digest = hashlib.md5((parent + suffix).encode()).hexdigest()
    assert child_name(parent, suffix) == (parent + digest + suffix)[:63]


@given(
    st.text(alphabet="abc-", min_size=1, max_size=100),
    st.text(alphabet="xyz-", min_size=1, max_size=70),
)
def test_a_child_name_never_exceeds_a_label(parent: str, suffix: str) -> None:
    assert len(child_name(parent, suffix)) <= 63


@pytest.mark.parametrize("name", ["a", "shop-00001", "MyName", "a_b.c", "example.com/x", "x" * 63])
def test_a_qualified_name_is_accepted(name: str) -> None:
    assert qualified_name_problems(name) == ()


@pytest.mark.parametrize(
    ("name", "beginnings"),
    [
        ("", ["name part must be non-empty", "name part must consist of alphanumeric"]),
        ("-a", ["name part must consist of alphanumeric"]),
        ("x" * 64, ["name part must be no more than 63 characters"]),
        ("/a", ["prefix part must be non-empty"]),
        ("A/a", ["prefix part a lowercase RFC 1123 subdomain must"]),
        ("a/b/c", ["a valid label key must consist of alphanumeric characters"]),
    ],
)
def test_a_qualified_name_is_refused(name: str, beginnings: list[str]) -> None:
    problems = qualified_name_problems(name)
    assert len(problems) == len(beginnings)
    for problem, beginning in zip(problems, beginnings, strict=True):
        assert problem.startswith(beginning)
