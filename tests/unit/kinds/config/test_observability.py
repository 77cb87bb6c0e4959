"""Knative reference §6.3: when requests are logged."""

import pytest

from knlite.kinds.config.observability import DEFAULT_TEMPLATE, parse
from knlite.kinds.config.values import ConfigInvalid

ENABLE, TEMPLATE = "logging.enable-request-log", "logging.request-log-template"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param({}, False, id="off by default"),
        pytest.param({ENABLE: "true"}, True, id="on"),
        pytest.param({ENABLE: "false"}, False, id="off"),
        pytest.param({ENABLE: "true", TEMPLATE: ""}, False, id="nothing to write"),
        pytest.param({ENABLE: "true", TEMPLATE: DEFAULT_TEMPLATE}, True, id="default"),
        pytest.param(
            {ENABLE: "true", TEMPLATE: DEFAULT_TEMPLATE.replace('": "', '":"') + "\n"},
            True,
            id="default, otherwise spaced",
        ),
        pytest.param(
            {
                ENABLE: "true",
                TEMPLATE: DEFAULT_TEMPLATE.replace(
                    "{{.TraceID}}", '{{index .Request.Header "X-B3-Traceid"}}'
                ),
            },
            True,
            id="default of before",
        ),
        pytest.param({TEMPLATE: DEFAULT_TEMPLATE}, False, id="a template alone"),
    ],
)
def test_when_requests_are_logged(data: dict[str, str], wanted: bool) -> None:
    assert parse(data).request_log is wanted


def test_another_template_is_refused_with_a_sentence() -> None:
    with pytest.raises(ConfigInvalid, match="all that knlite understands"):
        parse({TEMPLATE: "{{.Request.Method}}"})
