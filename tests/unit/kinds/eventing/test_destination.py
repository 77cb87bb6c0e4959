"""Eventing reference §1.3: what a Destination may say."""

import pytest

from knlite.kinds.eventing.destination import Destination, defaulted, validated
from knlite.kinds.fielderror import rendered, under
from knlite.kinds.kreference import KReference

BROKER = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"


def errors(destination: Destination, *flags: str) -> str:
    return rendered(under("spec.sink", validated(destination, lambda flag: flag in flags)))


@pytest.mark.parametrize(
    ("destination", "text"),
    [
        pytest.param(Destination(ref=BROKER), "", id="ref"),
        pytest.param(Destination(uri="http://x.example/path"), "", id="uri"),
        pytest.param(Destination(ref=BROKER, uri="/path"), "", id="ref-and-relative"),
        pytest.param(
            Destination(),
            "expected at least one, got none: spec.sink.ref, spec.sink.uri",
            id="none",
        ),
        pytest.param(
            Destination(ref=BROKER, uri="http://x.example"),
            "Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present:"
            " spec.sink.ref, spec.sink.uri, spec.sink[apiVersion, kind, name]",
            id="ref-and-absolute",
        ),
        pytest.param(
            Destination(uri="/path"),
            "invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is"
            " absent: spec.sink.uri",
            id="relative-alone",
        ),
        pytest.param(
            Destination(uri="mailto:me"),
            "invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is"
            " absent: spec.sink.uri",
            id="hostless",
        ),
        pytest.param(
            Destination(ref=KReference()),
            "missing field(s): spec.sink.ref.apiVersion, spec.sink.ref.kind, spec.sink.ref.name",
            id="empty-ref",
        ),
        pytest.param(
            Destination(ref=KReference(), uri="/path"), "", id="ref-beside-uri-is-not-checked"
        ),
        pytest.param(
            Destination(
                ref=KReference(
                    api_version="eventing.knative.dev/v1", kind="Broker", name="x", group="g"
                )
            ),
            "must not set the field(s): spec.sink.ref.group",
            id="group",
        ),
        pytest.param(Destination(uri="http://x.example", ca_certs=CERTIFICATE), "", id="pem"),
        pytest.param(
            Destination(uri="http://x.example", ca_certs="nonsense"),
            "invalid value: CA Cert provided is invalid: spec.sink.caCert",
            id="not-pem",
        ),
        pytest.param(
            Destination(uri="http://x.example", ca_certs=KEY),
            "invalid value: CA Cert provided is not a certificate: spec.sink.caCert",
            id="not-a-certificate",
        ),
    ],
)
def test_validation(destination: Destination, text: str) -> None:
    assert errors(destination) == text


def test_a_group_can_stand_for_the_version_behind_the_flag() -> None:
    ref = KReference(group="eventing.knative.dev", kind="Broker", name="x")
    assert errors(Destination(ref=ref), "kreference-group") == ""


def test_group_and_version_must_agree() -> None:
    ref = KReference(api_version="serving.knative.dev/v1", group="g", kind="Broker", name="x")
    assert errors(Destination(ref=ref), "kreference-group") == (
        "both apiVersion and group are specified and they refer to different API groups:"
        " spec.sink.ref.apiVersion, spec.sink.ref.group\nOnly one of them must be specified"
    )


def test_a_reference_lies_in_the_namespace_of_its_owner_unless_it_says_otherwise() -> None:
    own = defaulted(Destination(ref=BROKER), "shop")
    assert own.ref is not None
    assert own.ref.namespace == "shop"
    assert defaulted(own, "other") == own
