"""How a change of immutable fields is shown."""

import msgspec

from knlite.kinds.eventing.immutable import differences
from knlite.kinds.messaging.channelable import SubscriberSpec


def nested(levels: int, value: int) -> object:
    return msgspec.json.decode('{"a":' * levels + str(value) + "}" * levels)


def test_each_field_is_shown_by_its_name_in_go() -> None:
    old = SubscriberSpec(uid="1", subscriber_uri="http://x.example")
    new = SubscriberSpec(uid="1", reply_uri="http://x.example", reply_ca_certs="c")
    assert differences("{v1.SubscriberSpec}", old, new) == (
        '{v1.SubscriberSpec}.SubscriberURI:\n\t-: "http://x.example"\n'
        '{v1.SubscriberSpec}.ReplyURI:\n\t+: "http://x.example"\n'
        '{v1.SubscriberSpec}.ReplyCACerts:\n\t+: "c"\n'
    )
    assert differences("{v1.SubscriberSpec}", old, old) == ""


def test_lists_of_one_length_are_compared_by_their_items() -> None:
    assert differences("L", (1, 2), (1, 3)) == 'L[1]:\n\t-: "2"\n\t+: "3"\n'
    assert differences("L", (1,), (1, 3)) == 'L:\n\t-: "[1]"\n\t+: "[1,3]"\n'


def test_what_is_nested_however_deep_is_shown() -> None:
    text = differences("L", nested(900, 1), nested(900, 2))
    assert text.startswith("L" + ".A" * 16 + ":\n")
