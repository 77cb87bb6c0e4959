"""Correlation ids: the form is upstream's (``pkg/requestreply/correlation_id.go``)."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cesql.explain import explained
from knlite.eventing.cesql.program import program_of
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.correlation import NONCE, correlation_id, is_ours, key_of, verified

KEY = key_of("uid-1")
NONCES = st.binary(min_size=NONCE, max_size=NONCE)


@given(event_id=st.text(min_size=1), nonce=NONCES)
def test_every_id_that_we_have_made_is_ours(event_id: str, nonce: bytes) -> None:
    made = correlation_id(event_id, KEY, nonce)
    assert made.startswith(f"{event_id}:")
    assert made.endswith(":0")
    assert is_ours(made, KEY)
    assert not is_ours(made, key_of("uid-2"))


@given(event_id=st.text(min_size=1), other=st.text(min_size=1), nonce=NONCES)
def test_a_seal_fits_one_id_only(event_id: str, other: str, nonce: bytes) -> None:
    seal = correlation_id(event_id, KEY, nonce).rsplit(":", 2)[1]
    assert is_ours(f"{other}:{seal}:0", KEY) is (other == event_id)


@given(text=st.text())
def test_nothing_made_up_is_ours_and_nothing_raises(text: str) -> None:
    assert not is_ours(text, KEY)
    assert not verified(text, "ask", "shop", KEY, 0, 1)


def test_an_id_is_for_one_replica() -> None:
    made = correlation_id("1", KEY, bytes(NONCE))
    assert verified(made, "ask", "shop", KEY, 0, 1)
    assert verified(made, "ask", "shop", KEY, 0, 3)
    assert not verified(made, "ask", "shop", KEY, 1, 3)
    assert not verified(made, "ask", "shop", KEY, 0, 0)


def test_the_function_is_one_of_cesql() -> None:
    program = program_of(f'KN_VERIFY_CORRELATION_ID(replyid, "ask", "shop", "{KEY}", 0, 1)')
    plain = {"specversion": "1.0", "id": "2", "type": "t", "source": "/s"}
    made = correlation_id("1", KEY, bytes(NONCE))
    assert program.matches(CloudEvent({**plain, "replyid": made}))
    assert not program.matches(CloudEvent({**plain, "replyid": "1:x:0"}))
    assert not program.matches(CloudEvent(plain))


def test_nobody_is_shown_the_key() -> None:
    program = program_of(f'KN_VERIFY_CORRELATION_ID(replyid, "ask", "shop", "{KEY}", 0, 1)')
    plain = {"specversion": "1.0", "id": "2", "type": "t", "source": "/s", "replyid": "x"}
    told = explained(program, CloudEvent(plain))
    text = 'KN_VERIFY_CORRELATION_ID(replyid, "ask", "shop", …, 0, 1) is false: replyid is "x"'
    assert told == text
