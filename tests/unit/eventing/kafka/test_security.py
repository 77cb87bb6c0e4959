"""Eventing data plane reference §9.2: what Secrets say of Kafka servers."""

from base64 import b64encode

import pytest

from knlite.eventing.backing import Problem
from knlite.eventing.kafka.backing import KafkaServer
from knlite.eventing.kafka.security import secret_of, server_by_net, server_by_secret
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import KeySelector
from knlite.kinds.sources.kafkanet import KafkaNet, KafkaSASL, KafkaTLS, SecretValue
from tests.unit.fake_view import FakeView

AT = ("127.0.0.1:9092",)
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
LOGIN = {"user": "me", "password": "hush"}


def server(**values: str) -> KafkaServer:
    found = server_by_secret(AT, {k.replace("_", "."): v for k, v in values.items()}, "ns/s")
    assert isinstance(found, KafkaServer), found
    return found


def problem(**values: str) -> str:
    found = server_by_secret(AT, {k.replace("_", "."): v for k, v in values.items()}, "ns/s")
    assert isinstance(found, Problem), found
    return found.message


def secret(name: str, **values: str) -> Secret:
    data = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    return Secret(metadata=ObjectMeta(name=name, namespace="shop"), data=data)


def test_plain_text_needs_nothing() -> None:
    assert server(protocol="PLAINTEXT", user="ignored") == KafkaServer(bootstrap=AT)


def test_a_user_and_a_password_are_plain_unless_a_mechanism_is_named() -> None:
    assert server(protocol="SASL_PLAINTEXT", **LOGIN) == KafkaServer(
        bootstrap=AT, protocol="SASL_PLAINTEXT", mechanism="PLAIN", user="me", password="hush"
    )
    scram = server(protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", ca_crt=CA, **LOGIN)
    assert (scram.protocol, scram.mechanism, scram.ca) == ("SASL_SSL", "SCRAM-SHA-512", CA)


def test_tls_asks_for_a_certificate_unless_told_not_to() -> None:
    own = server(protocol="SSL", user_crt="CERT", user_key="KEY")
    assert (own.certificate, own.key) == ("CERT", "KEY")
    assert server(protocol="SSL", user_skip="true", ca_crt=CA).certificate == ""
    assert 'use "user.skip: true" to disable client auth' in problem(protocol="SSL", ca_crt=CA)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param(
            {"protocol": "HTTP"},
            "secret ns/s: protocol HTTP unsupported (key: protocol), supported protocols:"
            " [PLAINTEXT SASL_PLAINTEXT SSL SASL_SSL]",
            id="protocol",
        ),
        pytest.param(
            {"protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"},
            "secret ns/s: [protocol SASL_SSL] unsupported SASL mechanism (key: sasl.mechanism);"
            " supported are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
            id="mechanism",
        ),
        pytest.param(
            {"protocol": "SASL_PLAINTEXT", "password": "hush"},
            "secret ns/s: [protocol SASL_PLAINTEXT] SASL user required (key: user)",
            id="user",
        ),
        pytest.param(
            {"protocol": "SASL_PLAINTEXT", "user": "me"},
            "secret ns/s: [protocol SASL_PLAINTEXT] SASL password required (key: password)",
            id="password",
        ),
        pytest.param(
            {"protocol": "SSL", "ca.crt": "no PEM"},
            "secret ns/s: [protocol SSL] failed to parse CA certificates (key: ca.crt)",
            id="ca",
        ),
    ],
)
def test_what_is_wrong_is_said_without_the_values(values: dict[str, str], text: str) -> None:
    found = server_by_secret(AT, values, "ns/s")
    assert found == Problem("SecretInvalid", text)


def test_an_old_secret_does_not_say_the_protocol() -> None:
    old = server(username="me", password="hush", saslType="SCRAM-SHA-256")
    assert (old.protocol, old.mechanism, old.user) == ("SASL_PLAINTEXT", "SCRAM-SHA-256", "me")
    assert server(password="hush", user="me", ca_crt=CA).protocol == "SASL_SSL"
    assert server(tls_enabled="true").protocol == "SSL"
    assert server(anything="else").protocol == "PLAINTEXT"


def test_no_secret_is_shown() -> None:
    shown = repr(server(protocol="SASL_PLAINTEXT", **LOGIN))
    assert "hush" not in shown


def test_a_secret_that_is_not_there_is_named() -> None:
    assert secret_of(FakeView(), "shop", "login") == Problem(
        "SecretNotFound", 'failed to get secret shop/login: secret "login" not found'
    )


def test_a_source_names_its_secrets_one_by_one() -> None:
    def at(key: str) -> SecretValue:
        return SecretValue(secret_key_ref=KeySelector(name="login", key=key))

    net = KafkaNet(
        sasl=KafkaSASL(enable=True, user=at("u"), password=at("p"), type=at("t")),
        tls=KafkaTLS(enable=True, ca_cert=at("ca")),
    )
    view = FakeView(secret("login", u="me", p="hush", t="SCRAM-SHA-256", ca=CA))
    assert server_by_net(AT, net, "shop", view) == KafkaServer(
        bootstrap=AT,
        protocol="SASL_SSL",
        mechanism="SCRAM-SHA-256",
        user="me",
        password="hush",
        ca=CA,
    )
    assert server_by_net(AT, net, "shop", FakeView(secret("login", u="me"))) == Problem(
        "SecretInvalid", "missing secret key or empty secret value (shop/login.ca)"
    )
    assert server_by_net(AT, KafkaNet(), "shop", view) == KafkaServer(bootstrap=AT)


def test_tls_of_a_source_needs_no_certificate_of_its_own() -> None:
    net = KafkaNet(tls=KafkaTLS(enable=True))
    found = server_by_net(AT, net, "shop", FakeView())
    assert found == KafkaServer(bootstrap=AT, protocol="SSL")
