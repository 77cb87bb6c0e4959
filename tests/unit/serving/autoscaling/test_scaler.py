"""Bounds, initial scale, and the way to zero (Knative reference §2.6)."""

from knlite.serving.autoscaling.scaler import Scaler
from knlite.serving.autoscaling.spec import ScalingSpec

DEADLINE = 120.0


def scaler(**spec: object) -> Scaler:
    return Scaler(ScalingSpec(**spec), 0.0, DEADLINE)  # type: ignore[arg-type]  # fields by name


def test_it_begins_with_the_initial_scale_and_stays_there_until_it_is_reached() -> None:
    found = scaler(initial_scale=3)
    assert found.desired == 3
    assert found.scale(2.0, 0, 1).desired == 3
    assert not found.initialised
    found.observe(4.0, 3)
    assert found.initialised


def test_an_initial_scale_of_zero_starts_nothing() -> None:
    found = scaler(initial_scale=0)
    assert found.desired == 0
    assert found.asleep
    assert found.initialised


def test_zero_comes_after_a_stable_window_of_activity() -> None:
    found = scaler()
    found.observe(1.0, 1)
    assert found.scale(30.0, 0, 1).desired == 1
    last = found.scale(62.0, 0, 1)
    assert (last.desired, last.activity) == (0, "inactive")
    assert last.why == "no traffic for 60s"
    assert found.asleep


def test_retention_keeps_the_last_instance() -> None:
    found = scaler(retention=100.0)
    found.observe(1.0, 1)
    kept = found.scale(62.0, 0, 1)
    assert (kept.desired, kept.activity) == (1, "inactive")
    assert found.scale(150.0, 0, 1).desired == 1
    assert found.scale(163.0, 0, 1).desired == 0


def test_without_scale_to_zero_one_stays() -> None:
    found = scaler(scale_to_zero=False)
    found.observe(1.0, 1)
    assert found.scale(500.0, 0, 1).desired == 1


def test_the_bounds_hold_and_are_told() -> None:
    found = scaler(min_scale=2, max_scale=4)
    found.observe(1.0, 2)
    low, high = found.scale(100.0, 0, 2), found.scale(102.0, 9, 2)
    assert (low.desired, low.why) == (2, "min-scale 2")
    assert (high.desired, high.why) == (4, "max-scale 4")


def test_a_start_that_never_succeeds_is_given_up_after_its_deadline() -> None:
    found = scaler()
    assert found.scale(140.0, 0, 0).desired == 1
    last = found.scale(151.0, 0, 0)
    assert (last.desired, last.activity, last.timed_out) == (0, "inactive", True)


def test_a_request_at_zero_makes_it_active_again() -> None:
    found = scaler()
    found.observe(1.0, 1)
    found.scale(62.0, 0, 1)
    again = found.scale(100.0, 1, 0)
    assert (again.desired, again.activity) == (1, "activating")
    assert not found.asleep
    found.observe(100.1, 1)
    assert found.scale(102.0, 1, 1).activity == "active"


def test_when_the_load_is_not_known_the_scale_stays() -> None:
    found = scaler()
    found.observe(1.0, 1)
    found.scale(2.0, 5, 1)
    assert found.scale(4.0, None, 1).desired == 5


def test_an_instance_is_kept_until_the_activator_has_been_in_the_path_for_the_grace() -> None:
    found = scaler(burst_capacity=0.0)
    found.observe(1.0, 1)
    kept = found.scale(62.0, 0, 1, in_path=0.0)
    assert (kept.desired, kept.activity) == (1, "inactive")
    assert "grace" in kept.why
    assert found.scale(80.0, 0, 1, in_path=18.0).desired == 1
    assert found.scale(92.0, 0, 1, in_path=30.0).desired == 0


def test_a_grace_that_began_earlier_counts() -> None:
    found = scaler()
    found.observe(1.0, 1)
    assert found.scale(62.0, 0, 1, in_path=20.0).desired == 1
    assert found.scale(72.0, 0, 1, in_path=30.0).desired == 0


def test_long_idleness_is_enough_whatever_the_activator_did() -> None:
    found = scaler()
    found.observe(1.0, 1)
    assert found.scale(62.0, 0, 1, in_path=0.0).desired == 1
    assert found.scale(92.0, 0, 1, in_path=0.0).desired == 0


def test_a_start_is_not_given_up_while_it_is_wanted() -> None:
    found = scaler(min_scale=2)
    assert found.scale(500.0, 0, 1).desired == 2, "two of a kind, and one of them is ready"
    waited = scaler()
    assert waited.scale(500.0, 1, 0).desired == 1, "a request waits"


def test_an_initial_scale_is_given_up_when_nobody_can_reach_it() -> None:
    found = scaler(initial_scale=3)
    assert found.scale(500.0, 0, 0).desired == 3
    found.respec(ScalingSpec(initial_scale=3, reachable=False))
    assert found.scale(502.0, None, 0).timed_out


def test_it_is_active_again_when_as_many_are_ready_as_have_to_be() -> None:
    found = scaler(min_scale=2)
    found.observe(1.0, 2)
    assert found.activity == "active"
    found.observe(5.0, 1)
    assert found.activity == "activating"
    found.observe(6.0, 2)
    assert found.activity == "active"


def test_losing_what_is_not_needed_changes_nothing() -> None:
    found = scaler()
    found.observe(1.0, 1)
    found.scale(2.0, 5, 3)
    found.observe(3.0, 1)
    assert found.activity == "active"


def test_a_later_run_goes_on_where_an_earlier_one_was() -> None:
    asleep = scaler()
    asleep.resume(0.0, 0, active=False)
    assert asleep.asleep
    busy = scaler(initial_scale=5)
    busy.resume(0.0, 3, active=True)
    assert (busy.desired, busy.activity) == (3, "activating")
    kept = scaler(min_scale=2)
    kept.resume(0.0, 0, active=False)
    assert kept.desired == 2
