"""Who may send what (Eventing reference §1.6, §13, §16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.authorization import Grant, Guard, decides_about_senders
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.eventpolicy import EventPolicy
from knlite.kinds.meta import ObjectMeta

WEB = "system:serviceaccount:shop:web"
ORDER = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "order"})
OTHER = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "other"})
ORDERS = Attributes({"type": "order"})


def guard(*grants: Grant, mode: str = "allow-same-namespace") -> Guard:
    return Guard("audience", "shop", mode, grants)


@pytest.mark.parametrize(
    ("mode", "subject", "may"),
    [
        ("allow-same-namespace", WEB, True),
        ("allow-same-namespace", "system:serviceaccount:shopping:web", False),
        ("allow-same-namespace", "system:serviceaccount:other:shop:web", False),
        ("allow-same-namespace", "web", False),
        ("allow-all", "anybody", True),
        ("deny-all", WEB, False),
    ],
)
def test_the_mode_decides_where_no_policy_does(mode: str, subject: str, may: bool) -> None:
    assert (guard(mode=mode).denial(subject, ORDER) == "") == may


@pytest.mark.parametrize(
    ("named", "may"),
    [
        (WEB, True),
        ("system:serviceaccount:shop:*", True),
        ("*", True),
        ("system:serviceaccount:shop:we", False),
        ("system:serviceaccount:shop:web-1", False),
        ("", False),
    ],
)
def test_a_policy_names_who_may_send(named: str, may: bool) -> None:
    assert (guard(Grant("p", (named,)), mode="allow-all").denial(WEB, ORDER) == "") == may


def test_a_policy_without_names_lets_nobody_send() -> None:
    why = guard(Grant("p", ()), mode="allow-all").denial(WEB, ORDER)
    assert why == f"{WEB} is not among those whom the event policies allow: p"


def test_one_policy_that_lets_it_pass_is_enough() -> None:
    both = guard(Grant("p", (WEB,), ORDERS), Grant("q", ("*",), Attributes({"source": "/q"})))
    assert not both.denial(WEB, ORDER)
    why = both.denial(WEB, OTHER)
    assert 'p: type is "other", and "order" is wanted' in why
    assert 'q: source is "/s", and "/q" is wanted' in why
    assert both.denial("mail", ORDER)


def test_what_is_no_event_passes_no_filter() -> None:
    assert not guard(Grant("p", (WEB,))).denial(WEB, None)
    assert guard(Grant("p", (WEB,), ORDERS)).denial(WEB, None)
    assert guard(Grant("p", (WEB,))).denial("mail", None)


@given(st.text(), st.text())
def test_a_star_is_any_rest(prefix: str, rest: str) -> None:
    assert Grant("p", (f"{prefix}*",)).names(prefix + rest)


def test_what_changes_who_may_send() -> None:
    features = ObjectMeta(name="config-features", namespace="knative-eventing")
    assert decides_about_senders(ConfigMap(metadata=features))
    assert decides_about_senders(EventPolicy())
    elsewhere = ObjectMeta(name="config-features", namespace="knative-serving")
    assert not decides_about_senders(ConfigMap(metadata=elsewhere))
