"""What is said of filter expressions at admission (Eventing data plane reference §5.4)."""

import pytest

from knlite.kinds.catalog import read, tree_of
from knlite.kinds.codec import decode
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter as Item
from knlite.kinds.eventing.filters import validated
from knlite.kinds.fielderror import refusing, rendered, under

NAME = "Attribute name must start with a letter and can only contain lowercase alphanumeric"
SEVERAL = "multiple dialects found, filters can have only one dialect set: "
FINE = Item(exact={"type": "t"})
BAD = Item(exact={"Foo": "x"})


def said(*items: Item) -> str:
    return rendered(under("spec.filters", validated(items)))


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(Item(), id="no dialect"),
        pytest.param(Item(exact={"type": ""}), id="empty value"),
        pytest.param(Item(exact={"type": "t", "source": "s"}), id="several keys"),
        pytest.param(Item(prefix={"a" * 30: "t"}), id="long name"),
        pytest.param(Item(all=()), id="empty list"),
        pytest.param(Item(all=(FINE, Item(not_=FINE))), id="nested"),
        pytest.param(Item(cesql="type = 't' AND EXISTS foo"), id="cesql"),
        pytest.param(Item(cesql="UNKNOWN(1)"), id="unknown function"),
    ],
)
def test_what_is_accepted(item: Item) -> None:
    assert said(item) == ""


@pytest.mark.parametrize(
    ("item", "text"),
    [
        pytest.param(
            BAD, f'invalid key name "Foo": spec.filters[0].exact[Foo]\n{NAME}', id="exact"
        ),
        pytest.param(
            Item(suffix={"a-b": "x"}),
            f'invalid key name "a-b": spec.filters[0].suffix[a-b]\n{NAME}',
            id="suffix",
        ),
        pytest.param(
            Item(all=(FINE, Item(not_=Item(prefix={"Foo": "x"})))),
            f'invalid key name "Foo": spec.filters[0].all[1].not.prefix[Foo]\n{NAME}',
            id="nested",
        ),
        pytest.param(Item(exact={"a": "x"}, cesql="a = 'x'"), SEVERAL, id="two dialects"),
        pytest.param(Item(any=(Item(all=(FINE,), not_=FINE),)), SEVERAL, id="two inside"),
        pytest.param(
            Item(cesql="type = "),
            "invalid value: type = : spec.filters[0].cesql\nparse error: it ends too early;"
            " a value is wanted",
            id="cesql",
        ),
        pytest.param(
            Item(not_=Item(cesql="type LIKE 5")),
            "invalid value: type LIKE 5: spec.filters[0].not.cesql\nparse error: column 11: 5"
            " cannot stand here; a text in quotes is wanted",
            id="cesql inside",
        ),
    ],
)
def test_what_is_refused(item: Item, text: str) -> None:
    assert said(item) == text


def test_the_index_stands_before_all_errors_so_far() -> None:
    assert said(BAD, FINE) == f'invalid key name "Foo": spec.filters[1][0].exact[Foo]\n{NAME}'


def test_mixed_logic_is_accepted_with_a_warning() -> None:
    errors = validated((Item(cesql="a = 'x' AND (b OR c) OR d XOR e"),))
    assert refusing(errors) == ()
    assert rendered(errors) == (
        "AND, OR and XOR have the same precedence and group to the right; use parentheses to say"
        " what is meant: [0].cesql\nit is read as a = 'x' AND ((b OR c) OR (d XOR e))"
    )


@pytest.mark.parametrize(
    "expression", ["a AND b AND c", "a OR b", "(a AND b) OR c", "a XOR (b AND c)"]
)
def test_logic_that_is_clear_gets_no_warning(expression: str) -> None:
    assert validated((Item(cesql=expression),)) == ()


def test_a_misspelled_dialect_is_refused_even_where_unknown_fields_are_pruned() -> None:
    tree = {"all": [{"exakt": {"type": "t"}}]}
    (problem,) = decode(Item, tree, strict=False).problems
    assert str(problem) == (
        'all[0].exakt: Invalid value: "exakt": there is no such field, and a filter without a'
        ' dialect lets every event through (did you mean "exact"?)'
    )
    (strict,) = decode(Item, tree).problems
    assert str(strict) == (
        'strict decoding error: unknown field "all[0].exakt" (did you mean "exact"?)'
    )


def test_filters_of_a_trigger_come_back_as_they_were_written() -> None:
    filters = [
        {"exact": {"type": "t"}},
        {"any": [{"prefix": {"source": "/"}}, {"not": {"suffix": {"source": "x"}}}]},
        {"cesql": "a = 'x'"},
    ]
    tree = {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": "t"},
        "spec": {"broker": "default", "filters": filters},
    }
    obj = read(tree).value
    assert obj is not None
    assert tree_of(obj)["spec"]["filters"] == filters
