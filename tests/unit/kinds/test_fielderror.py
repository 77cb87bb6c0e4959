"""Knative reference §0.1: the grammar of admission errors."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.fielderror import (
    FieldError,
    both,
    disallowed,
    generic,
    invalid,
    invalid_key,
    merged,
    missing,
    neither,
    out_of_bounds,
    refusing,
    rendered,
    under,
)


def test_each_constructor_has_the_upstream_words() -> None:
    texts = [
        str(missing("spec.template.spec.containers")),
        str(disallowed("spec.template.spec.nodeName")),
        str(invalid("foo", "spec.x")),
        str(out_of_bounds(-1, 0, 1000, "spec.template.spec.containerConcurrency")),
        str(neither("b", "a")),
        str(both("b", "a")),
        str(invalid_key("K", "metadata.annotations", "why")),
    ]
    assert texts == [
        "missing field(s): spec.template.spec.containers",
        "must not set the field(s): spec.template.spec.nodeName",
        "invalid value: foo: spec.x",
        "expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency",
        "expected exactly one, got neither: a, b",
        "expected exactly one, got both: a, b",
        'invalid key name "K": metadata.annotations\nwhy',
    ]


def test_a_child_gets_the_path_from_the_root() -> None:
    errors = under("spec", under("traffic", under("[0]", (missing("tag"),))))
    assert rendered(errors) == "missing field(s): spec.traffic[0].tag"


def test_a_map_key_joins_without_a_dot() -> None:
    errors = under("spec.filter.attributes", (invalid_key("Foo", "[Foo]"),))
    assert errors[0].paths == ("spec.filter.attributes[Foo]",)


def test_an_error_without_a_path_still_ends_with_a_colon() -> None:
    error = generic("multi-container is off, but found 2 containers")
    assert rendered(under("spec", (error,))) == "multi-container is off, but found 2 containers: "


def test_equal_errors_are_printed_once_with_their_paths_sorted() -> None:
    errors = (missing("b"), invalid("x", "c"), missing("a"), missing("b"))
    assert rendered(errors) == "invalid value: x: c\nmissing field(s): a, b"


def test_details_keep_errors_apart() -> None:
    errors = (missing("a", details="one"), missing("a", details="two"))
    assert rendered(errors) == "missing field(s): a\none\nmissing field(s): a\ntwo"


def test_a_warning_does_not_refuse() -> None:
    assert refusing((FieldError("insecure", ("a",), level="warning"),)) == ()


@given(st.lists(st.builds(missing, st.sampled_from("abc"))))
def test_merging_twice_changes_nothing(errors: list[FieldError]) -> None:
    once = merged(errors)
    assert merged(once) == once
