"""Which messages of an exchange go into which queue (Eventing data plane reference §9.4)."""

from knlite.eventing.rabbitmq import bindings, names


def test_a_binding_asks_for_all_attributes_and_says_whose_it_is() -> None:
    assert bindings.trigger_binding("orders", {"type": "t", "own": "5"}) == {
        "x-match": "all",
        "x-knative-trigger": "orders",
        "type": "t",
        "own": "5",
    }


def test_without_attributes_it_takes_everything() -> None:
    assert bindings.trigger_binding("all", {}) == {"x-match": "all", "x-knative-trigger": "all"}


def test_an_attribute_that_only_has_to_be_there_is_left_to_the_filter() -> None:
    assert "subject" not in bindings.trigger_binding("some", {"subject": ""})


def test_the_content_type_is_looked_for_where_messages_have_it() -> None:
    wanted = bindings.trigger_binding("json", {"datacontenttype": "application/json"})
    assert wanted["content-type"] == "application/json"
    assert "datacontenttype" not in wanted


def test_a_queue_says_whose_it_is() -> None:
    uid = "0f7f9a3c-1f3e-4f57-9d1c-000000000000"
    queue = names.trigger_queue("default", "a.dotted.name", uid)
    assert bindings.trigger_of(queue, uid) == ("default", "a.dotted.name")
