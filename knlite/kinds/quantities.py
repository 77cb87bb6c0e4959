"""Kubernetes quantities: ``500m``, ``128Mi``, ``1e3`` as exact numbers, and their canonical text.

Source: Kubernetes ``apimachinery/pkg/api/resource`` (quantity.go, suffix.go).
Differs: exponents of more than two digits are refused; no machine has that much of anything.
"""

import re
from decimal import ROUND_UP, Context, Decimal

# Possessive, so that what is no quantity is found out in one pass.
_SYNTAX = re.compile(r"([+-]?)(\d++(?:\.\d*+)?|\.\d++)([eEinumkKMGTP]*+[-+]?\d*+)", re.ASCII)
_EXPONENT = re.compile(r"[eE][-+]?\d{1,2}", re.ASCII)

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {0: "", **{power: suffix for suffix, power in _BINARY.items()}}

# Wide enough that no product of two inputs is rounded but by the rules below.
_EXACT = Context(prec=500)
_SMALLEST = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)
"""Of what has a binary suffix, or too many digits to be taken as it is."""
_DIGITS = 18
_MOST_DIGITS = 400
"""More than any exponent makes small again."""
_MOST_PLACES = 120
"""More than any exponent makes large again."""


class InvalidQuantity(ValueError):
    """The text is not a quantity; the message is the one that Kubernetes gives."""


def parse(quantity: str | int | float) -> Decimal:
    """The number that *quantity* stands for, rounded up to billionths; numbers compare as such.

    Raises ``InvalidQuantity``.
    """
    return _read(str(quantity))[0]


def canonical(quantity: str | int | float) -> str:
    """The text Kubernetes stores for *quantity*: ``1`` for ``1000m``, ``1Gi`` for ``1024Mi``.

    Equal quantities of one format have equal texts. Raises ``InvalidQuantity``.
    """
    value, style = _read(str(quantity))
    if not value:
        return "0"
    if style == "binary" and abs(value) >= 1024 and value % 1 == 0:
        return _in_binary(int(value))
    return _in_decimal(value, with_exponent=style == "exponent")


def _read(text: str) -> tuple[Decimal, str]:
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise InvalidQuantity(
            "quantities must match the regular expression"
            " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    sign, number, suffix = match.groups()
    whole, _, fraction = number.partition(".")
    whole = whole.lstrip("0")
    value = _cut(whole, fraction)
    if suffix in _BINARY:
        style = "binary"
        value = min(_EXACT.multiply(value, Decimal(1024 ** _BINARY[suffix])), _LARGEST)
    elif suffix in _DECIMAL:
        style = "decimal"
        value = value.scaleb(_DECIMAL[suffix], _EXACT)
    elif _EXPONENT.fullmatch(suffix):
        style = "exponent"
        value = value.scaleb(int(suffix[1:]), _EXACT)
    else:
        raise InvalidQuantity("unable to parse quantity's suffix")
    if len(whole) > _DIGITS:
        value = min(value, _LARGEST)
    # Upwards, so that who asks for too little gets the least there is, not nothing.
    value = value.quantize(_SMALLEST, ROUND_UP, _EXACT)
    return (-value if sign == "-" else value), style


def _cut(whole: str, fraction: str) -> Decimal:
    """The number of these digits, or one as good where there are more than arithmetic can take."""
    if len(whole) > _MOST_DIGITS:
        return Decimal(10) ** _MOST_DIGITS
    kept, rest = fraction[:_MOST_PLACES], fraction[_MOST_PLACES:]
    more = "1" if rest.strip("0") else ""
    return Decimal(f"{whole or '0'}.{kept}{more}")


def _in_binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < 6:
        value //= 1024
        power += 1
    return f"{value}{_BINARY_SUFFIXES[power]}"


def _in_decimal(value: Decimal, *, with_exponent: bool) -> str:
    """The least mantissa that needs no point, with a suffix for thousands or thousandths."""
    mantissa = int(value.scaleb(9, _EXACT))
    exponent = -9
    while mantissa % 1000 == 0 and (with_exponent or exponent < 18):
        mantissa //= 1000
        exponent += 3
    if with_exponent:
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    return f"{mantissa}{_DECIMAL_SUFFIXES[exponent]}"
