"""In what an object is not what its file says."""

from knlite.console.manifests.differences import MOST, differences


def test_what_others_have_added_is_no_difference() -> None:
    declared = {"spec": {"broker": "a", "filters": []}}
    now = {"spec": {"broker": "a", "subscriber": {"uri": "http://x"}}, "status": {}}
    assert differences(declared, now) == ()


def test_each_field_that_differs_is_named() -> None:
    declared = {"spec": {"a": 1, "list": [{"b": "x"}, {"b": "y"}], "gone": "z"}}
    now = {"spec": {"a": 2, "list": [{"b": "x"}, {"b": "q"}]}}
    found = [(each.path, each.declared, each.now) for each in differences(declared, now)]
    assert found == [("spec.a", 1, 2), ("spec.list[1].b", "y", "q"), ("spec.gone", "z", None)]


def test_a_list_of_another_length_differs_as_a_whole() -> None:
    (found,) = differences({"list": [1]}, {"list": [1, 2]})
    assert (found.path, found.declared, found.now) == ("list", [1], [1, 2])


def test_there_is_a_bound() -> None:
    declared = {str(number): number for number in range(1000)}
    assert len(differences(declared, {})) == MOST
