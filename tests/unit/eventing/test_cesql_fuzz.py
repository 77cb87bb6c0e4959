"""Whatever an expression says, and whatever an event says, nothing is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.eventing.cesql.explain import explained
from knlite.eventing.cesql.functions import FUNCTIONS
from knlite.eventing.cesql.program import program_of
from knlite.eventing.cesql.values import Fault
from knlite.eventing.cloudevent import CloudEvent

NAMES = st.sampled_from(["type", "n", "missing", "datacontenttype", "dataschema", "1"])
TEXTS = st.sampled_from(["", "a", "%a_", "5", "-7", "true", "9" * 30, "\u00df\U0001f642", "x" * 50])
LITERALS = st.one_of(
    TEXTS.map(lambda text: f"'{text}'"),
    st.sampled_from([0, 1, -1, 2, -(2**31), 2**31 - 1]).map(str),
    st.sampled_from(["TRUE", "FALSE"]),
)
BINARY = ["AND", "OR", "XOR", "=", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]
EXPRESSIONS = st.recursive(
    LITERALS | NAMES.map(lambda name: f"a{name}" if name == "1" else name),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(BINARY), inner),
        st.builds("({})".format, inner),
        st.builds("NOT {}".format, inner),
        st.builds("- {}".format, inner),
        st.builds("({}) LIKE '{}'".format, inner, TEXTS),
        st.builds("({}) NOT IN ({}, {})".format, inner, inner, inner),
        st.builds(
            lambda name, arguments: f"{name}({', '.join(arguments)})",
            st.sampled_from([*sorted(FUNCTIONS), "NOTHING"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=8,
)
EVENTS = st.builds(
    lambda attributes, content_type: CloudEvent(
        {"specversion": "1.0", "id": "1", "source": "/", **attributes}, content_type
    ),
    st.dictionaries(st.sampled_from(["n", "dataschema", "schemaurl", "a1"]), TEXTS).map(
        lambda extra: {"type": "t", **extra}
    ),
    st.none() | TEXTS,
)


@settings(max_examples=200)
@given(EXPRESSIONS, EVENTS)
def test_an_expression_has_a_value_or_a_fault(text: str, event: CloudEvent) -> None:
    program = program_of(text)
    result = program.evaluate(event)
    assert program.matches(event) is (result.fault is None and result.value is True)
    assert isinstance(program.run(event), Fault) is (result.fault is not None)
    if isinstance(result.value, int):
        assert -(2**31) <= result.value < 2**31
    assert explained(program, event)
