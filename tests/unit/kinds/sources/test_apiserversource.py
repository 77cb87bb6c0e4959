"""Eventing reference §10: defaults and validation of an ApiServerSource."""

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.apiserversource import (
    ApiServerSource,
    ApiServerSourceSpec,
    ResourceOwner,
    WatchedResource,
    defaulted,
    validated,
)

SINK = Destination(uri="http://x.example")
PODS = WatchedResource(api_version="v1", kind="Pod")
FILTERS = (SubscriptionsAPIFilter(exact={"type": "a"}),)


def source(**spec: object) -> ApiServerSource:
    fields: dict[str, object] = {"sink": SINK, "resources": (PODS,), **spec}
    obj = ApiServerSource(
        metadata=ObjectMeta(name="a", namespace="shop"),
        spec=ApiServerSourceSpec(**fields),  # type: ignore[arg-type]  fields by name
    )
    return defaulted(obj, None, Config())


def test_mode_and_account_unless_said() -> None:
    spec = source().spec
    assert (spec.mode, spec.service_account_name) == ("Reference", "default")


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(source(), "", id="plain"),
        pytest.param(source(mode="Other"), "invalid value: Other: spec.mode", id="mode"),
        pytest.param(source(resources=()), "missing field(s): spec.resources", id="nothing"),
        pytest.param(
            source(resources=(PODS, WatchedResource(api_version="a/b/c", kind=" "))),
            "invalid value: a/b/c: spec.resources[1].apiVersion\n"
            "missing field(s): spec.resources[1].kind",
            id="resource",
        ),
        pytest.param(
            source(owner=ResourceOwner(api_version="a/b/c")),
            "invalid value: a/b/c: spec.owner.apiVersion\nmissing field(s): spec.owner.kind",
            id="owner",
        ),
        pytest.param(
            source(filters=FILTERS),
            "Filters is not empty but the NewAPIServerFilters feature is disabled.: ",
            id="filters",
        ),
    ],
)
def test_what_is_wrong_with_it(obj: ApiServerSource, text: str) -> None:
    assert rendered(validated(obj, None, Config())) == text


def test_filters_where_they_are_switched_on() -> None:
    config = Config(eventing=EventingConfig(flags={"new-apiserversource-filters": "enabled"}))
    assert not validated(source(filters=FILTERS), None, config)
