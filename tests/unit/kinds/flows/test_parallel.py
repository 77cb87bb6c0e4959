"""Eventing reference §7: defaults and validation of a Parallel."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.flows.parallel import (
    Parallel,
    ParallelBranch,
    ParallelSpec,
    defaulted,
    validated,
)
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
IN_MEMORY = ChannelTemplate(api_version="messaging.knative.dev/v1", kind="InMemoryChannel")
TILL = Destination(ref=KReference(api_version="v1", kind="Service", name="till"))
HERE = Destination(ref=KReference(api_version="v1", kind="Service", name="till", namespace="shop"))
GOOD = Destination(uri="http://x.example")
NOWHERE = Destination()


def parallel(*branches: ParallelBranch, **spec: object) -> Parallel:
    standard = ParallelSpec(branches=branches, channel_template=IN_MEMORY)
    return Parallel(metadata=ObjectMeta(name="p", namespace="shop"), spec=replace(standard, **spec))


def test_a_parallel_gets_a_template_and_namespaces() -> None:
    branches = (ParallelBranch(filter=TILL, subscriber=TILL, reply=TILL),)
    obj = defaulted(parallel(*branches, channel_template=None, reply=TILL), None, CONFIG)
    assert obj.spec == ParallelSpec(
        branches=(ParallelBranch(filter=HERE, subscriber=HERE, reply=HERE),),
        channel_template=IN_MEMORY,
        reply=HERE,
    )
    assert defaulted(obj, obj, CONFIG) == obj
    assert validated(obj, None, CONFIG) == ()


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(parallel(ParallelBranch(subscriber=GOOD)), "", id="good"),
        pytest.param(parallel(), "missing field(s): spec.branches", id="no-branches"),
        pytest.param(
            parallel(ParallelBranch(subscriber=GOOD), channel_template=None),
            "missing field(s): spec.channelTemplate",
            id="no-template",
        ),
        pytest.param(
            parallel(ParallelBranch(subscriber=GOOD), ParallelBranch()),
            "invalid value: {<nil> {<nil>  <nil> <nil>} <nil> <nil>}: spec.branches.subscriber[1]",
            id="no-subscriber",
        ),
        pytest.param(
            parallel(ParallelBranch(subscriber=GOOD, filter=NOWHERE, reply=NOWHERE)),
            "invalid value: {&{<nil>  <nil> <nil>} {<nil> http://x.example <nil> <nil>}"
            " &{<nil>  <nil> <nil>} <nil>}: spec.branches.filter[0], spec.branches.reply[0]",
            id="filter-and-reply",
        ),
        pytest.param(
            parallel(ParallelBranch(subscriber=GOOD, delivery=DeliverySpec(retry=-1))),
            "",
            id="deliveries-are-not-looked-at",
        ),
        pytest.param(
            parallel(ParallelBranch(subscriber=GOOD), reply=NOWHERE),
            "expected at least one, got none: spec.reply.ref, spec.reply.uri",
            id="empty-reply",
        ),
    ],
)
def test_says_what_is_wrong(obj: Parallel, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text
