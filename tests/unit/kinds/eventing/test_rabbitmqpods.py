"""What annotations of RabbitMQ's objects ask for their Pods."""

import pytest

from knlite.kinds.eventing.rabbitmqpods import validated
from knlite.kinds.fielderror import rendered

PREFIX = "rabbitmq.eventing.knative.dev"


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"cpu-request": "100m", "cpu-limit": "1"}, "", id="both"),
        pytest.param({"memory-limit": "64Mi"}, "", id="one"),
        pytest.param(
            {"memory-request": "1Gi", "memory-limit": "64Mi"},
            "request must be less than or equal to limit: annotations, metadata",
            id="more-than-the-limit",
        ),
        pytest.param(
            {"cpu-request": "much"},
            f"Failed to parse quantity from {PREFIX}/cpu-request: annotations, metadata,"
            f" {PREFIX}/cpu-request\nquantities must match the regular expression"
            " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            id="no-quantity",
        ),
    ],
)
def test_says_the_first_that_is_wrong(annotations: dict[str, str], text: str) -> None:
    named = {f"{PREFIX}/{key}": value for key, value in annotations.items()}
    assert rendered(validated(named)) == text
