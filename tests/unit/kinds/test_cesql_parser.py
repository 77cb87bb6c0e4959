"""How CESQL is read: tokens, precedence, limits (Eventing data plane reference §6.1, §6.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.cesql import syntax
from knlite.kinds.cesql.numbers import integer_of, wrapped
from knlite.kinds.cesql.parser import DEEPEST, LONGEST, parse
from knlite.kinds.cesql.syntax import Expression, NotCESQL


def shape(node: Expression) -> str:
    """The tree with all its parentheses."""
    match node:
        case syntax.Literal(value=value):
            return repr(value)
        case syntax.Attribute(name=name):
            return name
        case syntax.Exists(name=name):
            return f"exists {name}"
        case syntax.Not(operand=operand):
            return f"(not {shape(operand)})"
        case syntax.Minus(operand=operand):
            return f"(- {shape(operand)})"
        case syntax.Like(operand=operand, pattern=pattern):
            return f"({shape(operand)} like {pattern!r})"
        case syntax.In(operand=operand, members=members):
            return f"({shape(operand)} in {', '.join(map(shape, members))})"
        case syntax.Comparison(operator=operator, left=left, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case syntax.Calculation(operator=operator, left=left, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case syntax.Logic(operands=operands, operators=operators):
            pairs = zip(operators, operands[1:], strict=True)
            return f"({shape(operands[0])}{''.join(f' {o} {shape(e)}' for o, e in pairs)})"
        case syntax.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(shape, arguments))})"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # Tokens.
        ("  tYpE\n=\t'a' ", "(type = 'a')"),
        ("MyExt", "myext"),
        ("1st", "1st"),
        ("not2", "not2"),
        ("android", "android"),
        ("+5", "5"),
        ("-5", "-5"),
        ("007", "7"),
        ("-2147483648", "-2147483648"),
        ("'it\\'s'", '"it\'s"'),
        ('"it\'s"', '"it\'s"'),
        ("'a''b'", "\"a''b\""),
        ("'a\\\\b\\n\\%'", repr("a\\\\b\\n\\%")),
        ("'\n'", repr("\n")),
        ("TrUe", "True"),
        ("a <> b", "(a != b)"),
        ("concat_ws(',' , a)", "CONCAT_WS(',', a)"),
        ("f()", "F()"),
        ("f (a)", "F(a)"),
        # Precedence, from the tightest.
        ("NOT type = 'x'", "((not type) = 'x')"),
        ("NOT x LIKE 'a%'", "((not x) like 'a%')"),
        ("NOT EXISTS a", "(not exists a)"),
        ("NOT NOT a", "(not (not a))"),
        ("-a * b", "((- a) * b)"),
        ("- -a", "(- (- a))"),
        ("--10", "(- -10)"),
        ("x NOT LIKE 'p'", "(not (x like 'p'))"),
        ("x NOT IN (a, 1)", "(not (x in a, 1))"),
        ("x LIKE 'p' IN (TRUE)", "((x like 'p') in True)"),
        ("x IN (a) LIKE 'p'", "((x in a) like 'p')"),
        ("a * b IN (c)", "(a * (b in c))"),
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c", "((a / b) % c)"),
        ("4- 1", "(4 - 1)"),
        ("4 + -1", "(4 + -1)"),
        ("a = b + 1", "(a = (b + 1))"),
        ("1 < 2 < 3", "((1 < 2) < 3)"),
        ("a = b AND c = d", "((a = b) AND (c = d))"),
        ("a AND b OR c XOR d", "(a AND b OR c XOR d)"),
        ("a AND (b OR c)", "(a AND (b OR c))"),
        ("((a))", "a"),
    ],
)
def test_what_a_text_means(text: str, tree: str) -> None:
    assert shape(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it ends too early; a value is wanted"),
        ("a =", "it ends too early; a value is wanted"),
        ("ABS(", "it ends too early; a value is wanted"),
        ("a.b = 1", "column 2: . is not part of the language"),
        ("a_b", 'it ends too early; "(" is wanted'),
        ("a1_b", "column 3: _ is not part of the language"),
        ("a =\n  ?", "line 2, column 3: ? is not part of the language"),
        ("a = 'x", "column 5: the text that begins here has no end"),
        ("a b", "column 3: b cannot stand here; an operator is wanted"),
        ("x IN ()", "column 7: ) cannot stand here; a value is wanted"),
        ("a LIEK 'x'", "column 3: LIEK cannot stand here; an operator is wanted, LIKE perhaps"),
        ("(a = 'x'", 'it ends too early; ")" is missing'),
        ("x LIKE y", "column 8: y cannot stand here; a text in quotes is wanted"),
        ("EXISTS 'x'", "column 8: 'x' cannot stand here; the name of an attribute is wanted"),
        ("not = 'x'", "column 5: = cannot stand here; a value is wanted"),
        ("f1(2)", "column 3: ( cannot stand here; an operator is wanted"),
        (
            "4-1",
            "column 2: -1 cannot stand here; the sign belongs to the number unless a space is"
            " between them",
        ),
        ("2147483648", "column 1: 2147483648 does not fit into 32 bits"),
        ("9" * 20_000, f"it has 20000 characters; at most {LONGEST} are allowed"),
        ("-" * 200 + "a", f"it has expressions nested more than {DEEPEST} deep"),
    ],
)
def test_what_is_no_expression(text: str, why: str) -> None:
    with pytest.raises(NotCESQL) as refused:
        parse(text)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 3_000 + "a" + ")" * 3_000, id="parentheses"),
        pytest.param(" OR ".join(["a"] * 3_000), id="a chain"),
        pytest.param("f(" + ",".join("a" * 3_000) + ")", id="arguments"),
        pytest.param("(" * 5_000, id="open parentheses"),
        pytest.param("'" * 16_000, id="quotes"),
        pytest.param("'" + "\\'" * 8_000, id="escaped quotes"),
        pytest.param("9" * 16_000, id="a number"),
        pytest.param("a" * 16_000, id="a name"),
        pytest.param("a" * 16_000 + "_", id="a name of a function"),
        pytest.param("NOT " * 4_000 + "a", id="negations"),
        pytest.param("a = " * 4_000 + "a", id="comparisons"),
        pytest.param(" " * 16_000, id="spaces"),
        pytest.param("\x00\ud800🙂", id="characters"),
    ],
)
def test_hostile_texts_are_read_or_refused_without_much_ado(text: str) -> None:
    try:
        assert parse(text)
    except NotCESQL as exc:
        refusal = str(exc)
        if len(refusal) > 200:
            pytest.fail(refusal)


# The first expression loads the parser.
@given(st.text(st.sampled_from("aZ_09'\"\\%()+-,*/=<>! \n\t"), max_size=40))
def test_any_text_is_an_expression_or_not(text: str) -> None:
    try:
        root = parse(text)
    except NotCESQL:
        return
    for node, _ in syntax.walk(root):
        assert 0 <= node.start < node.end <= len(text)
        assert shape(parse(text[node.start : node.end])) == shape(node)


@given(st.integers(-(2**40), 2**40))
def test_integers_have_32_bits(number: int) -> None:
    assert integer_of(str(number)) == (number if -(2**31) <= number < 2**31 else None)
    assert (wrapped(number) - number) % 2**32 == 0
    assert wrapped(number) == number or not -(2**31) <= number < 2**31


@pytest.mark.parametrize("text", ["", "+", "1.0", " 1", "1_0", "٣", "0x1", "1e3", "--1"])
def test_what_is_no_integer(text: str) -> None:
    assert integer_of(text) is None


def test_only_different_operators_are_mixed() -> None:
    assert syntax.mixed(parse("a AND b AND (c OR d)")) is None
    chain = syntax.mixed(parse("f(a, NOT (b OR c AND d))"))
    assert chain is not None
    assert chain.operators == ("OR", "AND")
