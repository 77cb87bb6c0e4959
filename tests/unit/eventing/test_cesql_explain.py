"""Why an expression is true or false: the part that decided."""

import pytest

from knlite.eventing.cesql.explain import explained
from knlite.eventing.cesql.program import program_of
from knlite.eventing.cloudevent import CloudEvent

EVENT = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "y", "n": "5"})


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("type = 'x'", "type = 'x' is false: type is \"y\""),
        ("type  =\n'y'", "type = 'y' is true: type is \"y\""),
        ("source = '/s' AND type = 'x' AND n = 1", "type = 'x' is false: type is \"y\""),
        (
            "source = '/s' AND n > 4",
            'source = \'/s\' is true: source is "/s"; n > 4 is true: n is "5"',
        ),
        (
            "type = 'a' OR source = 'b'",
            "type = 'a' is false: type is \"y\"; source = 'b' is false: source is \"/s\"",
        ),
        ("type = 'a' OR n = 5", 'n = 5 is true: n is "5"'),
        (
            "type = 'a' OR n = 1 AND TRUE",
            'type = \'a\' is false: type is "y"; n = 1 is false: n is "5"',
        ),
        (
            "type = 'y' AND n = 5 OR FALSE",
            'type = \'y\' is true: type is "y"; n = 5 is true: n is "5"',
        ),
        ("(type = 'a' OR n = 5) AND FALSE", "FALSE is false"),
        ("NOT (type = 'y' OR n = 1)", "type = 'y' is true: type is \"y\""),
        ("NOT EXISTS type", 'NOT EXISTS type is false: type is "y"'),
        ("type NOT LIKE 'y%'", "type NOT LIKE 'y%' is false: type is \"y\""),
        ("tenant = 'x'", "tenant = 'x' has an error: tenant is missing"),
        ("n = 5 AND tenant != 'x'", "tenant != 'x' has an error: tenant is missing"),
        ("type > 5", 'type > 5 has an error: "y" cannot be cast to Integer'),
        ("n / 0 = 1", "n / 0 = 1 has an error: division by 0"),
        ("FOO(n)", "FOO(n) has an error: there is no function FOO with 1 argument"),
        (
            "LEFT(type, -1) = 'x'",
            "LEFT(type, -1) = 'x' has an error: a number of characters cannot be -1",
        ),
        ("type", 'type is "y"; a Boolean is wanted'),
        ("n + 1", 'n + 1 is 6: n is "5"; a Boolean is wanted'),
        ("TRUE AND type", 'type is "y", and "y" cannot be cast to Boolean'),
        ("TRUE XOR n = 4", 'TRUE is true; n = 4 is false: n is "5"'),
    ],
)
def test_the_deciding_part_is_named(expression: str, why: str) -> None:
    assert explained(program_of(expression), EVENT) == why


def test_many_parts_are_cut() -> None:
    text = " OR ".join(f"type = '{n}'" for n in range(100))
    assert explained(program_of(text), EVENT).endswith("; and 95 more")
