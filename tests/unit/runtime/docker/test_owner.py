"""Whose containers may be removed: only those whose owner is certainly dead."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.runtime.docker.owner import Owner, certainly_dead, current_owner, decode_owner

ME = Owner(host="laptop", boot="b2", pid=10, started="500", space="s1")
OTHER = replace(ME, pid=20, started="600")
IN_CONTAINER = replace(OTHER, container="c1", host="c1")


@pytest.mark.parametrize(
    ("owner", "now", "dead"),
    [
        pytest.param(OTHER, OTHER, False, id="the same process lives"),
        pytest.param(OTHER, replace(OTHER, started=""), True, id="no such process"),
        pytest.param(OTHER, replace(OTHER, started="601"), True, id="the number was given again"),
        pytest.param(replace(OTHER, boot="b1"), OTHER, True, id="from before a reboot"),
        pytest.param(
            replace(OTHER, space="s2"), replace(OTHER, started=""), False, id="another namespace"
        ),
        pytest.param(
            replace(OTHER, space="s2", boot="b1"), OTHER, True, id="another one before a reboot"
        ),
        pytest.param(
            replace(OTHER, space=""), replace(OTHER, started=""), True, id="an older label"
        ),
        pytest.param(
            replace(OTHER, host="server"), replace(OTHER, started=""), False, id="another machine"
        ),
        pytest.param(IN_CONTAINER, replace(OTHER, started=""), False, id="in a running container"),
        pytest.param(
            replace(IN_CONTAINER, container="c2"), OTHER, True, id="in a container that is gone"
        ),
    ],
)
def test_only_what_is_certainly_dead_is_dead(owner: Owner, now: Owner, dead: bool) -> None:
    assert certainly_dead(owner, ME, now, {"c1": True}) is dead


def test_a_container_cannot_judge_processes_of_its_host() -> None:
    me = replace(ME, container="c1", host="c1")
    assert not certainly_dead(OTHER, me, replace(OTHER, started=""), {"c1": True})


def test_this_process_is_the_same_each_time_it_is_asked() -> None:
    assert current_owner(os.getpid()) == current_owner(os.getpid())
    assert current_owner(os.getpid()).started


def test_a_process_that_does_not_exist_has_no_start() -> None:
    assert current_owner(2**22 + 1).started == ""


WORDS = st.text(alphabet=st.characters(exclude_characters="|", exclude_categories=["Cs"]))


@given(WORDS, WORDS, st.integers(min_value=1), WORDS, WORDS, WORDS)
def test_a_label_is_read_as_it_was_written(
    host: str, boot: str, pid: int, started: str, container: str, space: str
) -> None:
    owner = Owner(host=host, boot=boot, pid=pid, started=started, container=container, space=space)
    assert decode_owner(owner.encode()) == owner


def test_a_label_of_an_earlier_version_is_read() -> None:
    assert decode_owner("laptop|b2|10|500|") == replace(ME, space="")


@pytest.mark.parametrize("text", ["", "a|b|c|d|e", "a|b|1|d"])
def test_a_foreign_label_is_nobodys(text: str) -> None:
    assert decode_owner(text) is None
