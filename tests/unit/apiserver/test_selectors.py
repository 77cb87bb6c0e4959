"""labelSelector and fieldSelector (Kubernetes labels and fields grammar)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.apiserver.selectors import label_selector, named, predicate
from knlite.errors import InvalidInput
from knlite.kinds.catalog import info_of
from knlite.kinds.core.pod import Pod, PodStatus
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta

BROKER = Broker(metadata=ObjectMeta(name="b", namespace="n", labels={"a": "1", "x.y/z": "q"}))


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("a=1", True),
        ("a==1", True),
        ("a = 1", True),
        ("a=2", False),
        ("a!=2", True),
        ("missing!=2", True),
        ("a", True),
        ("!a", False),
        ("!missing", True),
        ("a in (1,2)", True),
        ("a in (2, 3)", False),
        ("a notin (2)", True),
        ("x.y/z=q,a", True),
        ("x.y/z=q,!a", False),
        ("a=", False),
    ],
)
def test_labels(text: str, selected: bool) -> None:
    asked = predicate(info_of(Broker), text, "")
    assert (asked is None or asked(BROKER)) is selected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a=1,", "found '', expected: identifier after ','"),
        ("a in 1", "found '1', expected: '('"),
        ("a in (1", "found '', expected: ',' or ')'"),
        ("a b", "found 'b', expected: in, notin, =, ==, !="),
        ("=1", "found '=', expected: identifier"),
        ("a/b/c=1", "a valid label key must consist of"),
        ("a=-", "a valid label must be"),
    ],
)
def test_a_label_selector_that_cannot_be_read(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        label_selector(text)
    assert str(caught.value).startswith("unable to parse requirement: ")
    assert problem in str(caught.value)


@given(st.text(max_size=30))
def test_no_label_selector_breaks_the_server(text: str) -> None:
    try:
        label_selector(text)
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("metadata.name=b", True),
        ("metadata.name!=b", False),
        ("metadata.namespace=n,metadata.name==b", True),
        ("metadata.namespace=m", False),
        (r"metadata.name=b\\,c", False),
    ],
)
def test_fields(text: str, selected: bool) -> None:
    asked = predicate(info_of(Broker), "", text)
    assert asked is not None
    assert asked(BROKER) is selected


def test_core_kinds_have_more_fields() -> None:
    asked = predicate(info_of(Pod), "", "status.phase!=Running")
    assert asked is not None
    assert asked(Pod(status=PodStatus(phase="Pending")))
    assert not asked(Pod(status=PodStatus(phase="Running")))


@pytest.mark.parametrize("text", ["spec.x=1", "metadata.name", "status.phase=x"])
def test_fields_that_cannot_be_selected(text: str) -> None:
    with pytest.raises(InvalidInput):
        predicate(info_of(Broker), "", text)


def test_the_name_that_is_selected() -> None:
    assert named("metadata.namespace=n,metadata.name=b") == "b"
    assert named("metadata.name!=b") == ""
