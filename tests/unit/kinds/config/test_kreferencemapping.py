"""Eventing reference §15: addresses by a template for a kind."""

import pytest

from knlite.kinds.config.kreferencemapping import parse
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.kreference import KReference


def refers(api_version: str, kind: str) -> KReference:
    return KReference(api_version=api_version, kind=kind, name="x")


def test_kinds_with_and_without_a_group() -> None:
    mapping = parse(
        {
            "Pod.v1": "http://pods.{{ .SystemNamespace }}/{{ .Name }}",
            "Thing.v2.example.com": " http://things/{{.Namespace}}/{{.Name}}{{.UID}}\n",
            "_example": "{{nonsense}}",
            "Nothing": "{{nonsense}}",
        }
    )
    assert mapping.address(refers("v1", "Pod"), "shop") == "http://pods.knative-eventing/x"
    assert mapping.address(refers("example.com/v2", "Thing"), "shop") == "http://things/shop/x"
    assert mapping.address(refers("example.com/v1", "Thing"), "shop") is None


def test_a_template_that_cannot_be_read_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigInvalid, match=r'failed to parse "Pod.v1".*\{\{ \.Nonsense \}\}'):
        parse({"Pod.v1": "http://x/{{ .Nonsense }}"})


@pytest.mark.parametrize("template", ["http://[{{.Name}}", "{{.Name}}", "/{{.Name}}", "http://"])
def test_a_template_that_gives_no_url_is_refused(template: str) -> None:
    with pytest.raises(ConfigInvalid, match=r'failed to parse "Pod.v1": .* is no absolute URL'):
        parse({"Pod.v1": template})
