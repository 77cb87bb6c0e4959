"""Which Pods of a Deployment come and go (Kubernetes ``pkg/controller/deployment``)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.core.deployment import DeploymentSpec, RollingUpdate, Strategy
from knlite.workloads.rolling import Standing, Step, max_surge, max_unavailable, next_step


def spec(wanted: int, kind: str = "RollingUpdate", **rolling: int | str) -> DeploymentSpec:
    update = RollingUpdate(max_unavailable="25%", max_surge="25%")
    if rolling:
        update = RollingUpdate(**rolling)
    strategy = Strategy(type=kind, rolling_update=update if kind == "RollingUpdate" else None)
    return DeploymentSpec(replicas=wanted, strategy=strategy)


def pods(current: int, old: int = 0, *, available: bool = True) -> list[Standing]:
    return [
        *(Standing(f"old-{number}", current=False, available=available) for number in range(old)),
        *(Standing(f"new-{number}", current=True, available=True) for number in range(current)),
    ]


@pytest.mark.parametrize(
    ("wanted", "surge", "unavailable"),
    [(1, 1, 0), (2, 1, 0), (4, 1, 1), (5, 2, 1), (10, 3, 2)],
)
def test_shares_are_rounded_in_favour_of_what_is_there(
    wanted: int, surge: int, unavailable: int
) -> None:
    assert (max_surge(spec(wanted)), max_unavailable(spec(wanted))) == (surge, unavailable)


def test_the_first_of_a_new_template_comes_before_any_old_one_goes() -> None:
    assert next_step(spec(2), pods(0, 2), leaving=False) == Step(create=1)
    assert next_step(spec(2), pods(1, 2), leaving=False) == Step(delete=("old-0",))
    assert next_step(spec(2), pods(1, 1), leaving=False) == Step(create=1)


def test_old_ones_that_serve_nobody_go_at_once() -> None:
    step = next_step(spec(2), pods(0, 2, available=False), leaving=False)
    assert step.delete == ("old-0", "old-1")


def test_the_youngest_goes_first_when_there_are_too_many() -> None:
    assert next_step(spec(1), pods(3), leaving=False).delete == ("new-2", "new-1")


def test_recreate_waits_until_the_last_old_one_has_gone() -> None:
    recreate = spec(2, "Recreate")
    assert next_step(recreate, pods(0, 2), leaving=False) == Step(delete=("old-0", "old-1"))
    assert next_step(recreate, [], leaving=True) == Step()
    assert next_step(recreate, [], leaving=False) == Step(create=2)


@given(
    wanted=st.integers(0, 20),
    old=st.integers(0, 20),
    surge=st.sampled_from([0, 1, 3, "25%", "100%"]),
    unavailable=st.sampled_from([0, 1, "25%", "100%"]),
)
def test_a_rollout_ends_and_keeps_its_bounds_all_the_way(
    wanted: int, old: int, surge: int | str, unavailable: int | str
) -> None:
    asked = spec(wanted, max_surge=surge, max_unavailable=unavailable)
    standing = pods(0, old)
    most = max(old, wanted + max_surge(asked))
    least = min(old, wanted - max_unavailable(asked))
    for number in range(200):
        step = next_step(asked, standing, leaving=False)
        if step == Step():
            break
        standing = [each for each in standing if each.name not in step.delete]
        assert sum(each.available for each in standing) >= least
        new = [
            Standing(f"{number}-{index}", current=True, available=False)
            for index in range(step.create)
        ]
        standing += new
        assert len(standing) <= most
        standing = [replace(each, available=True) for each in standing]
    assert [each.current for each in standing] == [True] * wanted
