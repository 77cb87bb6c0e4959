"""What is true of all filters (Eventing data plane reference §5.3), and of the index over them."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import (
    EVERYTHING,
    filter_from,
    filter_of,
    filter_of_items,
    filter_text,
)
from knlite.eventing.filters.filter import Filter
from knlite.eventing.filters.index import Index
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter as Item
from knlite.kinds.eventing.trigger import TriggerFilter, TriggerSpec
from knlite.kinds.patch.tree import MAX_DEPTH

PATIENT = settings(max_examples=60)
"""A busy machine is no failure."""

# Few names and texts, so that filters and events meet.
NAMES = st.sampled_from(["type", "source", "subject", "tenant", "region", "datacontenttype"])
TEXTS = st.sampled_from(["a", "b", "ab", "ba", "aba"])
ENTRIES = st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3)

EVENTS = st.builds(
    lambda given, extra, content_type: CloudEvent(
        {"specversion": "1.0", "id": "1", **given, **extra}, content_type
    ),
    st.fixed_dictionaries({"type": TEXTS, "source": TEXTS}),
    st.dictionaries(st.sampled_from(["subject", "tenant", "region"]), TEXTS | st.just("")),
    st.none() | TEXTS,
)
COMPARISONS = st.builds(lambda name, text: f"{name} = '{text}'", NAMES, TEXTS)
EXPRESSIONS = st.recursive(
    COMPARISONS
    | st.builds(lambda name, text: f"{name} LIKE '{text}%'", NAMES, TEXTS)
    | st.builds(lambda name, texts: f"{name} IN {tuple(texts)}", NAMES, st.lists(TEXTS, min_size=2))
    | st.builds(lambda name: f"EXISTS {name}", NAMES)
    | st.builds(lambda name, text: f"{name} != '{text}'", NAMES, TEXTS),
    lambda inner: st.one_of(
        st.builds(
            lambda left, operator, right: f"({left}) {operator} {right}",
            inner,
            st.sampled_from(["AND", "OR", "XOR"]),
            inner,
        ),
        st.builds(lambda inside: f"NOT ({inside})", inner),
    ),
    max_leaves=5,
)
LEAVES = st.one_of(
    st.builds(lambda entries: Item(exact=entries), ENTRIES),
    st.builds(lambda entries: Item(prefix=entries), ENTRIES),
    st.builds(lambda entries: Item(suffix=entries), ENTRIES),
    st.builds(lambda text: Item(cesql=text), EXPRESSIONS),
)


def within(inner: st.SearchStrategy[Item]) -> st.SearchStrategy[Item]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda items: Item(all=items)),
        several.map(lambda items: Item(any=items)),
        inner.map(lambda item: Item(not_=item)),
    )


DECIDED = st.recursive(LEAVES, within, max_leaves=6)
"""Items that always either pass or fail."""
ITEMS = st.recursive(LEAVES | st.just(Item()), within, max_leaves=6)
"""Also such as say nothing."""


def passes(item: Item, event: CloudEvent) -> bool:
    return filter_of_items((item,)).passes(event)


@PATIENT
@given(st.lists(ITEMS, max_size=3), EVENTS)
def test_the_verdict_agrees_and_gives_a_reason(items: list[Item], event: CloudEvent) -> None:
    found = filter_of_items(items)
    verdict = found.judge(event)
    assert verdict.matched is found.passes(event)
    assert verdict.why
    assert verdict.path == "" or verdict.path.startswith("filters")


@PATIENT
@given(DECIDED, EVENTS)
def test_all_and_any_of_one_are_that_one(item: Item, event: CloudEvent) -> None:
    alone = passes(item, event)
    assert passes(Item(all=(item,)), event) is alone
    assert passes(Item(any=(item,)), event) is alone


@PATIENT
@given(DECIDED, EVENTS)
def test_not_is_the_other_way_round(item: Item, event: CloudEvent) -> None:
    assert passes(Item(not_=item), event) is not passes(item, event)
    assert passes(Item(not_=Item(not_=item)), event) is passes(item, event)


@PATIENT
@given(st.lists(DECIDED, min_size=1, max_size=4), EVENTS)
def test_all_and_any_are_and_and_or(items: list[Item], event: CloudEvent) -> None:
    each = [passes(item, event) for item in items]
    assert passes(Item(all=tuple(items)), event) is all(each)
    assert passes(Item(any=tuple(items)), event) is any(each)
    assert filter_of_items(items).passes(event) is all(each)


@PATIENT
@given(st.lists(DECIDED, min_size=1, max_size=4), EVENTS, st.randoms())
def test_order_does_not_matter(items: list[Item], event: CloudEvent, random: Any) -> None:
    shuffled = random.sample(items, len(items))
    assert passes(Item(all=tuple(items)), event) is passes(Item(all=tuple(shuffled)), event)
    assert passes(Item(any=tuple(items)), event) is passes(Item(any=tuple(shuffled)), event)


@PATIENT
@given(ENTRIES, EVENTS)
def test_exact_is_equality_in_cesql(entries: dict[str, str], event: CloudEvent) -> None:
    expression = " AND ".join(f"{name} = '{text}'" for name, text in entries.items())
    assert passes(Item(exact=entries), event) is passes(Item(cesql=expression), event)


@PATIENT
@given(NAMES, TEXTS, EVENTS)
def test_prefix_and_suffix_are_like_in_cesql(name: str, text: str, event: CloudEvent) -> None:
    prefix, suffix = Item(cesql=f"{name} LIKE '{text}%'"), Item(cesql=f"{name} LIKE '%{text}'")
    assert passes(Item(prefix={name: text}), event) is passes(prefix, event)
    assert passes(Item(suffix={name: text}), event) is passes(suffix, event)


@PATIENT
@given(ENTRIES, EVENTS)
def test_attributes_are_exact(entries: dict[str, str], event: CloudEvent) -> None:
    attributes = filter_of(TriggerSpec(filter=TriggerFilter(attributes=entries)))
    assert attributes.passes(event) is passes(Item(exact=entries), event)


SPECS = st.builds(
    lambda attributes, items: TriggerSpec(
        filter=TriggerFilter(attributes=attributes), filters=tuple(items)
    ),
    st.dictionaries(NAMES, TEXTS | st.just(""), max_size=3),
    st.lists(ITEMS, max_size=2),
)


@PATIENT
@given(SPECS, EVENTS)
def test_a_filter_that_was_written_down_gives_the_same_verdict(
    spec: TriggerSpec, event: CloudEvent
) -> None:
    again = filter_from(msgspec.json.decode(filter_text(spec)))
    assert again.judge(event) == filter_of(spec).judge(event)


@PATIENT
@given(st.lists(SPECS, max_size=6), st.lists(EVENTS, min_size=1, max_size=3))
def test_the_index_finds_what_asking_everybody_finds(
    specs: list[TriggerSpec], events: list[CloudEvent]
) -> None:
    filters = {f"reader {number}": filter_of(spec) for number, spec in enumerate(specs)}
    index = Index(filters)
    for event in events:
        asked = tuple(key for key, each in filters.items() if each.passes(event))
        assert index.matching(event) == asked


class Counting:
    """A filter that counts how often it is asked."""

    def __init__(self, inner: Filter) -> None:
        self.inner = inner
        self.asked = 0

    def passes(self, event: CloudEvent) -> bool:
        self.asked += 1
        return self.inner.passes(event)

    def judge(self, event: CloudEvent) -> Any:
        return self.inner.judge(event)

    def clues(self) -> Any:
        return self.inner.clues()  # type: ignore[attr-defined]


def test_filters_that_cannot_match_are_not_asked() -> None:
    shapes = (
        lambda n: TriggerSpec(filter=TriggerFilter(attributes={"type": f"t{n}", "source": "/s"})),
        lambda n: TriggerSpec(filters=(Item(exact={"type": f"t{n}", "source": "/s"}),)),
        lambda n: TriggerSpec(
            filters=(Item(exact={"source": "/s"}), Item(exact={"type": f"t{n}"}))
        ),
        lambda n: TriggerSpec(filters=(Item(all=(Item(exact={"type": f"t{n}"}), Item())),)),
        lambda n: TriggerSpec(
            filters=(Item(any=(Item(exact={"type": f"t{n}"}), Item(exact={"type": f"u{n}"}))),)
        ),
        lambda n: TriggerSpec(filters=(Item(cesql=f"source = '/s' AND type IN ('t{n}', 'u{n}')"),)),
    )
    event = CloudEvent({"specversion": "1.0", "id": "1", "type": "t7", "source": "/s"})
    for shape in shapes:
        filters = {str(n): Counting(filter_of(shape(n))) for n in range(100)}
        assert Index(filters).matching(event) == ("7",)
        assert sum(each.asked for each in filters.values()) == 1


def test_filters_of_which_nothing_is_known_are_asked() -> None:
    event = CloudEvent({"specversion": "1.0", "id": "1", "type": "t", "source": "/s"})
    filters = {"all": EVERYTHING, "prefix": filter_of_items((Item(prefix={"type": "t"}),))}
    assert Index(filters).matching(event) == ("all", "prefix")
    assert Index({}).matching(event) == ()


def test_the_deepest_filter_that_a_body_can_hold_is_judged() -> None:
    item = Item(exact={"type": "t"})
    for _ in range(MAX_DEPTH):
        item = Item(not_=item)
    found = filter_of_items((item,))
    event = CloudEvent({"specversion": "1.0", "id": "1", "type": "t", "source": "/s"})
    assert found.passes(event)
    assert found.judge(event).matched
    assert Index({"deep": found}).matching(event) == ("deep",)
