"""The grammar of CESQL, and how its tree is built while the text is read.

AND, OR and XOR share one precedence and group to the right; LIKE and IN stand behind their operand
and share one, too; a sign that touches digits belongs to them.

Source: Eventing data plane reference §6.1, §6.2; docs/adr/0025.
Differs: a character that no token begins with is an error; upstream's lexer skips it.
Not here: limits of length and depth (``parser.py``).
"""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import TypeAlias, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from knlite.kinds.cesql import syntax
from knlite.kinds.cesql.numbers import integer_of
from knlite.kinds.cesql.syntax import Calculated, Compared, Expression, Logical, NotCESQL

_GRAMMAR = r"""
?start: logic
?logic: comparison (LOGICAL comparison)*
?comparison: sum
    | comparison COMPARED sum
?sum: product
    | sum (PLUS | MINUS) product -> calculation
?product: test
    | product (STAR | DIVIDE | MODULO) test -> calculation
?test: unary
    | test LIKE STRING -> like
    | test NOT LIKE STRING -> not_like
    | test IN _members -> among
    | test NOT IN _members -> not_among
?unary: primary
    | NOT unary -> negation
    | MINUS unary -> minus
?primary: STRING -> string
    | INTEGER -> integer
    | TRUTH -> truth
    | (WORD | NAME) -> attribute
    | EXISTS (WORD | NAME) -> exists
    | (WORD | FUNCTION) OPEN [logic (COMMA logic)*] CLOSE -> call
    | OPEN logic CLOSE -> group
_members: OPEN logic (COMMA logic)* CLOSE

%declare LOGICAL NOT LIKE EXISTS IN TRUTH

STRING: /'(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*"/s
FUNCTION.3: /[A-Za-z]+_[A-Za-z_]*/
WORD.2: /[A-Za-z]+(?![A-Za-z0-9])/
NAME.1: /[0-9]*[A-Za-z][A-Za-z0-9]*/
INTEGER: /[+-][0-9]+|[0-9]+(?![A-Za-z0-9])/
COMPARED: /<=|<>|>=|!=|=|<|>/
PLUS: "+"
MINUS: "-"
STAR: "*"
DIVIDE: "/"
MODULO: "%"
OPEN: "("
CLOSE: ")"
COMMA: ","
%ignore /[ \t\r\n]+/
"""
_KEYWORDS = {
    "AND": "LOGICAL",
    "OR": "LOGICAL",
    "XOR": "LOGICAL",
    "NOT": "NOT",
    "LIKE": "LIKE",
    "EXISTS": "EXISTS",
    "IN": "IN",
    "TRUE": "TRUTH",
    "FALSE": "TRUTH",
}
_ENDS = "$END"
_Child: TypeAlias = Token | Expression


def read(text: str) -> Expression:
    """The tree of *text*. Raises ``NotCESQL``."""
    try:
        # Lark builds no tree of its own where it is given a transformer.
        return cast("Expression", _parser().parse(text))
    except UnexpectedToken as exc:
        raise NotCESQL(_unexpected(exc.token, exc.accepts or exc.expected)) from exc
    except UnexpectedCharacters as exc:
        raise NotCESQL(_unreadable(exc)) from exc


@cache
def _parser() -> Lark:
    return Lark(
        _GRAMMAR,
        parser="lalr",
        lexer="basic",
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=_Builder(),
        lexer_callbacks={"WORD": _keyword},
    )


def _keyword(token: Token) -> Token:
    kind = _KEYWORDS.get(token.upper())
    return token if kind is None else token.update(type=kind)


class _Builder(Transformer[Token, Expression]):
    """One method for each rule of the grammar."""

    def string(self, children: Sequence[Token]) -> Expression:
        start, end = _span(children)
        return syntax.Literal(start=start, end=end, value=_unquoted(children[0]))

    def integer(self, children: Sequence[Token]) -> Expression:
        token = children[0]
        start, end = _span(children)
        value = integer_of(token)
        if value is None:
            place = _place(token.line, token.column)
            raise NotCESQL(f"{place}: {_shown(token)} does not fit into 32 bits")
        return syntax.Literal(start=start, end=end, value=value)

    def truth(self, children: Sequence[Token]) -> Expression:
        start, end = _span(children)
        return syntax.Literal(start=start, end=end, value=children[0].upper() == "TRUE")

    def attribute(self, children: Sequence[Token]) -> Expression:
        start, end = _span(children)
        return syntax.Attribute(start=start, end=end, name=children[0].lower())

    def exists(self, children: Sequence[Token]) -> Expression:
        start, end = _span(children)
        return syntax.Exists(start=start, end=end, name=children[1].lower())

    def call(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        function = str(children[0]).upper()
        return syntax.Call(
            start=start, end=end, function=function, arguments=_expressions(children)
        )

    def group(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        (inside,) = _expressions(children)
        return syntax.placed(inside, start, end)

    def negation(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        (operand,) = _expressions(children)
        return syntax.Not(start=start, end=end, operand=operand)

    def minus(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        (operand,) = _expressions(children)
        return syntax.Minus(start=start, end=end, operand=operand)

    def like(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        (operand,) = _expressions(children)
        pattern = children[-1]
        assert isinstance(pattern, Token)
        return syntax.Like(start=start, end=end, operand=operand, pattern=_unquoted(pattern))

    def not_like(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        return syntax.Not(start=start, end=end, operand=self.like(children))

    def among(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        operand, *members = _expressions(children)
        return syntax.In(start=start, end=end, operand=operand, members=tuple(members))

    def not_among(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        return syntax.Not(start=start, end=end, operand=self.among(children))

    def calculation(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        left, right = _expressions(children)
        operator = cast("Calculated", str(children[1]))
        return syntax.Calculation(start=start, end=end, operator=operator, left=left, right=right)

    def comparison(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        left, right = _expressions(children)
        written = str(children[1])
        operator = cast("Compared", "!=" if written == "<>" else written)
        return syntax.Comparison(start=start, end=end, operator=operator, left=left, right=right)

    def logic(self, children: Sequence[_Child]) -> Expression:
        start, end = _span(children)
        operators = tuple(
            cast("Logical", each.upper()) for each in children if isinstance(each, Token)
        )
        return syntax.Logic(
            start=start, end=end, operands=_expressions(children), operators=operators
        )


def _span(children: Sequence[_Child]) -> tuple[int, int]:
    first, last = children[0], children[-1]
    start = first.start_pos if isinstance(first, Token) else first.start
    end = last.end_pos if isinstance(last, Token) else last.end
    assert start is not None
    assert end is not None
    return start, end


def _expressions(children: Sequence[_Child]) -> tuple[Expression, ...]:
    return tuple(each for each in children if not isinstance(each, Token))


def _unquoted(token: str) -> str:
    """Only the quote that delimits the text can be escaped; any other backslash stays."""
    quote = token[0]
    return token[1:-1].replace("\\" + quote, quote)


def _unexpected(token: Token, wanted: set[str]) -> str:
    hint = _hint(token, wanted)
    if token.type == _ENDS:
        return f"it ends too early{hint}"
    return f"{_place(token.line, token.column)}: {_shown(token)} cannot stand here{hint}"


def _hint(token: Token, wanted: set[str]) -> str:
    if token.type == "INTEGER" and token[0] in "+-":
        return "; the sign belongs to the number unless a space is between them"
    if wanted == {"STRING"}:
        return "; a text in quotes is wanted"
    if wanted == {"OPEN"}:
        return '; "(" is wanted'
    if wanted == {"WORD", "NAME"}:
        return "; the name of an attribute is wanted"
    if token.type == _ENDS and "CLOSE" in wanted and "INTEGER" not in wanted:
        return '; ")" is missing'
    if "COMPARED" in wanted:
        close = get_close_matches(token.upper(), _KEYWORDS, n=1)
        return (
            f"; an operator is wanted, {close[0]} perhaps" if close else "; an operator is wanted"
        )
    return "; a value is wanted" if "INTEGER" in wanted else ""


def _unreadable(exc: UnexpectedCharacters) -> str:
    place = _place(exc.line, exc.column)
    if exc.char in "'\"":
        return f"{place}: the text that begins here has no end"
    return f"{place}: {exc.char} is not part of the language"


def _place(line: int | None, column: int | None) -> str:
    return f"column {column}" if line == 1 else f"line {line}, column {column}"


def _shown(token: str) -> str:
    return token if len(token) <= 40 else token[:40] + "…"
