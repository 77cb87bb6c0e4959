"""What a path of the API names (Kubernetes API concepts, resource URIs)."""

import pytest

from knlite.apiserver.paths import parse

SERVING = ("serving.knative.dev", "v1")


@pytest.mark.parametrize(
    ("group", "rest", "expected"),
    [
        pytest.param(SERVING, "services", ("Service", "", "", ""), id="all namespaces"),
        pytest.param(SERVING, "namespaces/n/services", ("Service", "n", "", ""), id="one"),
        pytest.param(SERVING, "namespaces/n/services/s", ("Service", "n", "s", ""), id="an object"),
        pytest.param(
            SERVING, "namespaces/n/services/s/status", ("Service", "n", "s", "status"), id="a part"
        ),
        pytest.param(("", "v1"), "namespaces/n", ("Namespace", "", "n", ""), id="a namespace"),
        pytest.param(
            ("", "v1"), "namespaces/n/status", ("Namespace", "", "n", "status"), id="its status"
        ),
        pytest.param(("", "v1"), "namespaces/n/pods", ("Pod", "n", "", ""), id="what is in it"),
        pytest.param(("", "v1"), "namespaces/n/pods/p/log", ("Pod", "n", "p", "log"), id="a log"),
    ],
)
def test_names(group: tuple[str, str], rest: str, expected: tuple[str, str, str, str]) -> None:
    found = parse(*group, rest)
    assert found is not None
    assert (found.info.kind, found.namespace, found.name, found.subresource) == expected


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "nonsense",
        "services/",
        "services/s",
        "namespaces//services",
        "namespaces/n/services/s/status/more",
        "namespaces/n/namespaces",
    ],
)
def test_names_nothing(rest: str) -> None:
    assert parse(*SERVING, rest) is None
