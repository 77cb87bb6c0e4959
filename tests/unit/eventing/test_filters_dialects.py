"""The dialects of ``spec.filters`` (Eventing data plane reference §5.2, §5.3)."""

from dataclasses import replace

import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import EVERYTHING, filter_of, filter_of_items
from knlite.eventing.filters.filter import Verdict
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter as Item
from knlite.kinds.eventing.trigger import TriggerFilter, TriggerSpec

LEAST = {"specversion": "1.0", "id": "1", "source": "/shop/eu", "type": "order.paid"}
EVENT = CloudEvent({**LEAST, "tenant": "acme"}, "application/json; charset=utf-8")

PASSES = Item(exact={"type": "order.paid"})
FAILS = Item(exact={"type": "x"})
NOTHING = Item(not_=Item())
"""Says nothing about any event, and is not thrown away."""


@pytest.mark.parametrize(
    ("item", "passes"),
    [
        pytest.param(PASSES, True, id="exact"),
        pytest.param(FAILS, False, id="exact, other text"),
        pytest.param(Item(exact={"type": "Order.paid"}), False, id="exact, other case"),
        pytest.param(Item(exact={"type": "order.paid", "tenant": "x"}), False, id="exact, one not"),
        pytest.param(Item(exact={"missing": "x"}), False, id="exact, missing"),
        pytest.param(Item(exact={"subject": "x"}), False, id="exact, absent"),
        pytest.param(Item(exact={"datamediatype": "application/json"}), True, id="media type"),
        pytest.param(Item(prefix={"type": "order."}), True, id="prefix"),
        pytest.param(Item(prefix={"type": "paid"}), False, id="prefix, other text"),
        pytest.param(Item(prefix={"missing": "x"}), False, id="prefix, missing"),
        pytest.param(Item(prefix={"type": "order", "source": "x"}), False, id="prefix, one not"),
        pytest.param(Item(suffix={"type": ".paid"}), True, id="suffix"),
        pytest.param(Item(suffix={"type": "order"}), False, id="suffix, other text"),
        pytest.param(Item(suffix={"subject": "x"}), False, id="suffix, absent"),
        # An empty value: as if the item were not there.
        pytest.param(Item(exact={"missing": ""}), True, id="exact, empty value"),
        pytest.param(Item(exact={"type": "x", "source": ""}), True, id="exact, one empty value"),
        pytest.param(Item(prefix={"missing": ""}), True, id="prefix, empty value"),
        pytest.param(Item(suffix={"missing": ""}), True, id="suffix, empty value"),
        pytest.param(Item(), True, id="no dialect"),
        pytest.param(Item(all=(PASSES, PASSES)), True, id="all"),
        pytest.param(Item(all=(PASSES, FAILS)), False, id="all, one fails"),
        pytest.param(Item(all=(FAILS, NOTHING)), False, id="all, fails before nothing"),
        pytest.param(Item(any=(FAILS, PASSES)), True, id="any"),
        pytest.param(Item(any=(FAILS, FAILS)), False, id="any, none passes"),
        pytest.param(Item(any=(FAILS, NOTHING)), True, id="any, nothing at the end"),
        pytest.param(Item(any=(NOTHING, FAILS)), False, id="any, nothing before"),
        pytest.param(Item(any=(FAILS, Item())), False, id="any, an item is thrown away"),
        pytest.param(Item(not_=FAILS), True, id="not"),
        pytest.param(Item(not_=PASSES), False, id="not, passes"),
        pytest.param(Item(not_=Item(exact={"missing": "x"})), True, id="not, missing"),
        pytest.param(NOTHING, True, id="not of nothing"),
        pytest.param(Item(not_=NOTHING), True, id="not of not of nothing"),
        pytest.param(Item(not_=Item(all=(PASSES, NOTHING))), True, id="not of all, nothing last"),
        pytest.param(Item(not_=Item(all=(NOTHING, PASSES))), False, id="not of all, passes last"),
        pytest.param(Item(not_=Item(all=(Item(),))), True, id="not of all without members"),
        pytest.param(Item(cesql="type LIKE 'order.%'"), True, id="cesql"),
        pytest.param(Item(cesql="tenant = 'x'"), False, id="cesql, false"),
        pytest.param(Item(cesql="missing != 'x'"), False, id="cesql, error"),
        pytest.param(Item(cesql="NOT (missing = 'x')"), False, id="cesql, error negated"),
        pytest.param(Item(not_=Item(cesql="missing = 'x'")), True, id="not of a cesql error"),
        pytest.param(Item(cesql="'true'"), False, id="cesql, a text"),
        pytest.param(Item(cesql="1"), False, id="cesql, a number"),
        pytest.param(Item(cesql="type ="), False, id="cesql, stored before it was refused"),
        # Several dialects: admission refuses them, and the first of a fixed order counts.
        pytest.param(Item(exact={"type": "order.paid"}, not_=PASSES), True, id="exact before not"),
        pytest.param(Item(not_=PASSES, cesql="TRUE"), False, id="not before cesql"),
    ],
)
def test_what_passes(item: Item, passes: bool) -> None:
    found = filter_of_items((item,))
    verdict = found.judge(EVENT)
    assert (found.passes(EVENT), verdict.matched) == (passes, passes)
    assert verdict.why


def test_all_items_must_pass() -> None:
    assert filter_of_items((PASSES, NOTHING, PASSES)).passes(EVENT)
    assert not filter_of_items((PASSES, FAILS)).passes(EVENT)
    assert not filter_of_items((FAILS, PASSES)).passes(EVENT)


def test_filters_replace_the_filter() -> None:
    other = TriggerFilter(attributes={"type": "other"})
    assert filter_of(TriggerSpec(filter=other, filters=(PASSES,))).passes(EVENT)
    assert not filter_of(TriggerSpec(filter=other, filters=())).passes(EVENT)
    # Even items that are thrown away replace it.
    assert filter_of(TriggerSpec(filter=other, filters=(Item(),))) is EVERYTHING


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        pytest.param(
            (FAILS,),
            Verdict(False, 'type is "order.paid", and "x" is wanted', "filters[0].exact[type]"),
            id="exact",
        ),
        pytest.param(
            (PASSES,), Verdict(True, 'type is "order.paid"', "filters[0].exact"), id="one"
        ),
        pytest.param(
            (PASSES, Item(all=(PASSES, Item(prefix={"subject": "a"})))),
            Verdict(
                False,
                'subject is absent, which does not begin with "a"',
                "filters[1].all[1].prefix[subject]",
            ),
            id="nested",
        ),
        pytest.param(
            (Item(any=(FAILS, Item(suffix={"tenant": "x"}))),),
            Verdict(
                False,
                'type is "order.paid", and "x" is wanted; tenant is "acme", which does not end with'
                ' "x"',
                "filters[0].any",
            ),
            id="any",
        ),
        pytest.param(
            (Item(any=(FAILS, Item(suffix={"tenant": "e"}))),),
            Verdict(True, 'tenant is "acme", which ends with "e"', "filters[0].any[1].suffix"),
            id="any, one passes",
        ),
        pytest.param(
            (Item(not_=PASSES),),
            Verdict(False, 'type is "order.paid", and that is not wanted', "filters[0].not.exact"),
            id="not",
        ),
        pytest.param(
            (Item(not_=Item(not_=FAILS)),),
            Verdict(
                False,
                'type is "order.paid", and "x" is wanted',
                "filters[0].not.not.exact[type]",
            ),
            id="not not",
        ),
        pytest.param(
            (Item(cesql="type = 'y'"),),
            Verdict(False, "type = 'y' is false: type is \"order.paid\"", "filters[0].cesql"),
            id="cesql",
        ),
        pytest.param(
            (PASSES, Item(prefix={"source": "/shop"})),
            Verdict(
                True,
                'type is "order.paid"; source is "/shop/eu", which begins with "/shop"',
                "filters",
            ),
            id="all items",
        ),
        pytest.param(
            (Item(),), Verdict(True, "there is no filter: everything passes", ""), id="no item"
        ),
    ],
)
def test_the_verdict_says_what_decided(items: tuple[Item, ...], verdict: Verdict) -> None:
    assert replace(filter_of_items(items).judge(EVENT), parts=()) == verdict


@pytest.mark.parametrize(
    ("items", "parts"),
    [
        pytest.param(
            (Item(exact={"type": "order.paid", "tenant": "x"}),),
            [("filters[0].exact[tenant]", False, {"tenant": "acme"}, "")],
            id="one entry",
        ),
        pytest.param(
            (Item(any=(FAILS, Item(not_=PASSES), Item(suffix={"subject": "x"}))),),
            [
                ("filters[0].any[0].exact[type]", False, {"type": "order.paid"}, ""),
                ("filters[0].any[1].not.exact[type]", True, {"type": "order.paid"}, ""),
                ("filters[0].any[2].suffix[subject]", False, {"subject": None}, ""),
            ],
            id="all of any",
        ),
        pytest.param(
            (PASSES, Item(all=(PASSES, Item(cesql="tenant = 'a' OR type = 'b'")))),
            [
                ("filters[1].all[1].cesql", False, {"tenant": "acme"}, "tenant = 'a'"),
                ("filters[1].all[1].cesql", False, {"type": "order.paid"}, "type = 'b'"),
            ],
            id="in an expression",
        ),
        pytest.param(
            (Item(cesql="(type = 'x' OR tenant = 'acme') AND missing = 'x'"),),
            [("filters[0].cesql", None, {"missing": None}, "missing = 'x'")],
            id="an error in an expression",
        ),
    ],
)
def test_the_parts_that_decided_are_named_with_what_they_saw(
    items: tuple[Item, ...], parts: list[object]
) -> None:
    def text(item: Item) -> str:
        return item.cesql or next(filter(None, map(text, item.all)), "")

    whole = text(items[-1])
    found = filter_of_items(items).judge(EVENT).parts
    assert [(p.path, p.value, p.seen, whole[p.start : p.end]) for p in found] == parts


def test_a_verdict_stays_short_whatever_the_event_says() -> None:
    event = CloudEvent({**LEAST, "type": "\n" + "x" * 100_000})
    many = Item(any=tuple(Item(exact={"type": str(n)}) for n in range(1000)))
    long = "a" * 10_000
    expressions = (
        "type = 'a' OR type = 'b' OR CONCAT(type) = 'c'",
        long,
        f"EXISTS {long}",
        f"{long}()",
    )
    for item in (FAILS, many, *(Item(cesql=each) for each in expressions)):
        why = filter_of_items((item,)).judge(event).why
        assert len(why) < 3_000
        assert "\n" not in why
