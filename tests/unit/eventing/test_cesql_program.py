"""What expressions come to (Eventing data plane reference §6.3 to §6.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cesql.program import program_of
from knlite.eventing.cesql.values import Value
from knlite.eventing.cloudevent import CloudEvent

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid"}
EVENT = CloudEvent({**LEAST, "five": "5", "yes": "true", "word": "Straße"}, "application/json")


def come_to(expression: str, event: CloudEvent = EVENT) -> Value | tuple[Value, str]:
    """The value, with the kind of the fault if there is one."""
    result = program_of(expression).evaluate(event)
    return result.value if result.fault is None else (result.value, result.fault.kind)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # Attributes.
        ("type", "order.paid"),
        ("TYPE", "order.paid"),
        ("datacontenttype", "application/json"),
        ("subject", (False, "missingAttribute")),
        ("data", (False, "missingAttribute")),
        ("EXISTS data", False),
        ("EXISTS datacontenttype", True),
        ("EXISTS time", False),
        # Comparisons: the left side becomes what the right side is.
        ("five = 5", True),
        ("5 = five", True),
        ("five = '5'", True),
        ("yes = TRUE", True),
        ("TRUE = yes", True),
        ("TRUE = 'TRUE'", False),
        ("TRUE = 1", True),
        ("2 = TRUE", True),
        ("FALSE = ''", False),
        ("'abc' = 5", (False, "cast")),
        ("'abc' != 5", (False, "cast")),
        ("missing != 5", (False, "missingAttribute")),
        ("five > 4", True),
        ("five <= 4", False),
        ("five >= '5'", True),
        ("'a' < 'b'", (False, "cast")),
        ("missing < 'a'", (False, "missingAttribute")),
        # Both sides are evaluated before either is cast.
        ("'a' < missing", (False, "missingAttribute")),
        ("1 < 2 < 3", True),
        # Calculations in 32 bits.
        ("'5' + five", 10),
        ("2147483647 + 1", -2147483648),
        ("-2147483648 - 1", 2147483647),
        ("65536 * 65536", 0),
        ("-2147483648 / -1", -2147483648),
        ("-2147483648 % -1", 0),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 % 2", -1),
        ("7 % -2", 1),
        ("1 / 0", (0, "math")),
        ("1 / missing", (0, "missingAttribute")),
        ("type + 1", (0, "cast")),
        ("-five", -5),
        ("-TRUE", -1),
        ("-type", (0, "cast")),
        ("-(-2147483648)", -2147483648),
        # Logic.
        ("FALSE AND missing", False),
        ("missing AND FALSE", (False, "missingAttribute")),
        ("TRUE OR missing", True),
        ("FALSE OR missing", (False, "missingAttribute")),
        ("TRUE XOR missing", (False, "missingAttribute")),
        ("TRUE AND type", (False, "cast")),
        ("TRUE AND 'TRUE'", True),
        ("5 AND yes", True),
        ("FALSE AND FALSE OR TRUE", False),
        ("TRUE OR FALSE AND FALSE", True),
        ("TRUE XOR TRUE OR FALSE", False),
        ("TRUE XOR FALSE AND missing", True),
        ("NOT yes", False),
        ("NOT 0", True),
        ("NOT 1", False),
        ("NOT 10", (True, "cast")),
        ("NOT five", (False, "cast")),
        ("NOT INT(five)", False),
        ("NOT type = 'x'", (False, "cast")),
        ("NOT EXISTS a OR a != 'x'", True),
        # Sets: the members become what the operand is, up to the first that is the same.
        ("five IN (4, 5)", True),
        ("five IN (1, missing)", (False, "missingAttribute")),
        ("five IN (5, missing)", True),
        ("INT(five) IN ('a', 5)", (False, "cast")),
        ("INT(five) IN (5, 'a')", True),
        ("missing IN (1)", (False, "missingAttribute")),
        ("type NOT IN ('a', 'b')", True),
        ("missing NOT IN ('a')", (False, "missingAttribute")),
        # LIKE.
        ("five LIKE '5'", True),
        ("55 LIKE '5_'", True),
        ("missing NOT LIKE 'a'", (False, "missingAttribute")),
        # Functions.
        ("LENGTH(word)", 6),
        ("UPPER(LEFT(type, 5))", "ORDER"),
        ("LEFT(type, 100)", "order.paid"),
        ("LEFT(type, 0)", ""),
        ("RIGHT(type, 4)", "paid"),
        ("RIGHT(type, 0)", ""),
        ("RIGHT(word, 2)", "ße"),
        ("LEFT('abc', -1)", ("abc", "functionEvaluation")),
        ("LENGTH(LEFT('abc', -1))", (0, "functionEvaluation")),
        ("SUBSTRING(type, 7)", "paid"),
        ("SUBSTRING(type, -4, 2)", "pa"),
        ("SUBSTRING(type, 10)", "d"),
        ("SUBSTRING(type, 11)", ("", "functionEvaluation")),
        ("SUBSTRING(type, 1, 0)", ""),
        ("SUBSTRING(type, 1, -1)", ("", "functionEvaluation")),
        ("SUBSTRING(type, 0, -1)", ""),
        ("SUBSTRING('', 0)", ""),
        ("SUBSTRING(type, 1, 2147483647)", "order.paid"),
        ("CONCAT(1, TRUE, five)", "1true5"),
        ("CONCAT(1, missing)", ("", "missingAttribute")),
        ("CONCAT_WS('-', 1, 2)", "1-2"),
        ("TRIM('\t a ')", "a"),
        ("ABS('-5')", 5),
        ("ABS(type)", (0, "cast")),
        ("ABS(-2147483648) + 1", (0, "math")),
        ("INT('1.0')", (0, "cast")),
        ("INT(' 1')", (0, "cast")),
        ("INT('+1')", 1),
        ("BOOL('yes')", (False, "cast")),
        ("BOOL(five)", (False, "cast")),
        ("BOOL(-1)", True),
        ("STRING(-1)", "-1"),
        ("IS_INT(five)", True),
        ("IS_INT(type)", False),
        ("IS_BOOL(yes)", True),
        ("IS_BOOL(missing)", (False, "missingAttribute")),
        ("NOTHING(1)", (False, "missingFunction")),
        ("LENGTH()", (False, "missingFunction")),
        ("LENGTH(type, 1)", (False, "missingFunction")),
        ("CONCAT(NOTHING())", ("", "missingFunction")),
    ],
)
def test_what_an_expression_comes_to(expression: str, value: object) -> None:
    found = come_to(expression)
    assert (type(found), found) == (type(value), value)


def test_only_truth_matches() -> None:
    assert program_of("five = 5").matches(EVENT)
    for expression in ("five = 4", "type", "1", "'true'", "missing", "NOT 10", "NOTHING()"):
        assert not program_of(expression).matches(EVENT)


def test_the_schema_of_version_0_3_is_a_data_schema() -> None:
    event = CloudEvent({**LEAST, "specversion": "0.3", "schemaurl": "http://schema"})
    assert come_to("dataschema", event) == "http://schema"


def test_chains_are_not_bounded_by_depth() -> None:
    many = " OR ".join(f"type = '{n}'" for n in range(900))
    assert come_to(many) is False
    assert come_to(f"{many} OR type = 'order.paid'") is True


TRUTHS = st.sampled_from([True, False])
OPERATORS = st.sampled_from(["AND", "OR", "XOR"])


# The first expression loads the parser.
@given(st.lists(TRUTHS, min_size=1, max_size=6), st.lists(OPERATORS, min_size=5, max_size=5))
def test_logic_groups_to_the_right(values: list[bool], operators: list[str]) -> None:
    text = str(values[0])
    for operator, value in zip(operators, values[1:], strict=False):
        text += f" {operator} {value}"
    expected = values[-1]
    used = operators[: len(values) - 1]
    for value, operator in zip(values[-2::-1], reversed(used), strict=True):
        match operator:
            case "AND":
                expected = value and expected
            case "OR":
                expected = value or expected
            case _:
                expected = value != expected
    assert come_to(text) is expected


INTS = st.integers(-(2**31), 2**31 - 1)


# The first expression loads the parser.
@given(INTS, INTS)
def test_division_and_remainder_belong_together(left: int, right: int) -> None:
    if right == 0:
        return
    whole, rest = come_to(f"{left} / {right}"), come_to(f"{left} % {right}")
    assert isinstance(whole, int)
    assert isinstance(rest, int)
    if (left, right) != (-(2**31), -1):
        assert whole * right + rest == left
    assert abs(rest) < abs(right)
    assert rest * left >= 0
