"""How to prove oneself to Kafka servers, as Secrets say it.

Source: Eventing data plane reference §9.2; knative-extensions/eventing-kafka-broker
``control-plane/pkg/security/{secret,secrets_provider_legacy_channel_secret,
secrets_provider_net_spec}.go``.
Differs: of a mechanism that is not here (OAUTHBEARER) it is said which are. TLS without a client's
certificate needs no ``user.skip`` where nothing says which one it is (KafkaSource, old Secrets).
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from knlite.eventing.backing import Problem
from knlite.eventing.kafka.backing import KafkaServer, Protocol
from knlite.kinds.core.secret import Secret
from knlite.kinds.podspec.fields import KeySelector
from knlite.kinds.sources.kafkanet import KafkaNet
from knlite.reconcile import View

PROTOCOLS: Final[tuple[Protocol, ...]] = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

REASON: Final = "SecretInvalid"
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})

Values = Mapping[str, str]
"""The entries of a Secret, decoded."""


def secret_of(view: View, namespace: str, name: str) -> Values | Problem:
    """The entries of the Secret *name*; those that are no text are left out."""
    found = view.get(Secret, namespace, name)
    if found is None:
        text = f'failed to get secret {namespace}/{name}: secret "{name}" not found'
        return Problem("SecretNotFound", text)
    decoded = {key: _text(value) for key, value in found.data.items()}
    return {key: text for key, text in decoded.items() if text is not None}


def server_by_secret(
    bootstrap: tuple[str, ...], secret: Values, where: str
) -> KafkaServer | Problem:
    """The servers at *bootstrap*, who are told what stands in *secret*, which is called *where*."""
    values = secret if "protocol" in secret else _modern(secret)
    problem, server = _checked(bootstrap, values)
    return server if server is not None else Problem(REASON, f"secret {where}: {problem}")


def server_by_net(
    bootstrap: tuple[str, ...], net: KafkaNet, namespace: str, view: View
) -> KafkaServer | Problem:
    """The servers of a KafkaSource in *namespace*."""
    values: dict[str, str] = {"protocol": _protocol(sasl=net.sasl.enable, tls=net.tls.enable)}
    for key, ref in (
        ("user.crt", net.tls.cert.secret_key_ref),
        ("user.key", net.tls.key.secret_key_ref),
        ("ca.crt", net.tls.ca_cert.secret_key_ref),
        ("sasl.mechanism", net.sasl.type.secret_key_ref),
        ("user", net.sasl.user.secret_key_ref),
        ("password", net.sasl.password.secret_key_ref),
    ):
        value = _selected(ref, namespace, view)
        if isinstance(value, Problem):
            return value
        if value:
            values[key] = value
    if "user.crt" not in values and "user.key" not in values:
        values["user.skip"] = "true"
    problem, server = _checked(bootstrap, values)
    return server if server is not None else Problem(REASON, f"spec.net: {problem}")


def _checked(bootstrap: tuple[str, ...], values: Values) -> tuple[str, KafkaServer | None]:
    """What is wrong with *values*, or the servers. No value that could be secret is named."""
    given = values["protocol"]
    protocol = next((each for each in PROTOCOLS if each == given), None)
    if protocol is None:
        shown = " ".join(PROTOCOLS)
        return f"protocol {given} unsupported (key: protocol), supported protocols: [{shown}]", None
    prefix = f"[protocol {protocol}]"
    mechanism = user = password = ""
    if protocol.startswith("SASL"):
        mechanism = values.get("sasl.mechanism", "PLAIN")
        if mechanism not in MECHANISMS:
            known = ", ".join(MECHANISMS)
            text = "unsupported SASL mechanism (key: sasl.mechanism)"
            return f"{prefix} {text}; supported are {known}", None
        user, password = values.get("user", ""), values.get("password", "")
        if not user:
            return f"{prefix} SASL user required (key: user)", None
        if not password:
            return f"{prefix} SASL password required (key: password)", None
    ca = certificate = key = ""
    if protocol.endswith("SSL"):
        ca = values.get("ca.crt", "")
        if ca and "-----BEGIN CERTIFICATE-----" not in ca:
            return f"{prefix} failed to parse CA certificates (key: ca.crt)", None
    if protocol == "SSL" and values.get("user.skip", "") not in _TRUE:
        certificate, key = values.get("user.crt", ""), values.get("user.key", "")
        for name, value in (("user.key", key), ("user.crt", certificate)):
            if not value:
                hint = 'use "user.skip: true" to disable client auth'
                return f"{prefix} required user key (key: {name}) - {hint}", None
    return "", KafkaServer(
        bootstrap=bootstrap,
        protocol=protocol,
        mechanism=mechanism,
        user=user,
        password=password,
        ca=ca,
        certificate=certificate,
        key=key,
    )


def _modern(secret: Values) -> Values:
    """*secret* of the old form, which does not say the protocol, in the new one."""
    tls = secret.get("tls.enabled", "") in _TRUE or bool(secret.get("ca.crt"))
    sasl = "password" in secret and ("username" in secret or "user" in secret)
    values = {**secret, "protocol": _protocol(sasl=sasl, tls=tls)}
    for old, new in (
        ("sasltype", "sasl.mechanism"),
        ("saslType", "sasl.mechanism"),
        ("username", "user"),
        ("user", "user"),
    ):
        if old in secret:
            values[new] = secret[old]
    if "user.crt" not in secret and "user.key" not in secret:
        values.setdefault("user.skip", "true")
    return values


def _protocol(*, sasl: bool, tls: bool) -> Protocol:
    if sasl:
        return "SASL_SSL" if tls else "SASL_PLAINTEXT"
    return "SSL" if tls else "PLAINTEXT"


def _selected(ref: KeySelector | None, namespace: str, view: View) -> str | Problem:
    """The value that *ref* names; empty if it names none."""
    if ref is None or not ref.name:
        return ""
    secret = secret_of(view, namespace, ref.name)
    if isinstance(secret, Problem):
        return secret
    value = secret.get(ref.key, "")
    if not value:
        where = f"{namespace}/{ref.name}.{ref.key}"
        return Problem(REASON, f"missing secret key or empty secret value ({where})")
    return value


def _text(encoded: str) -> str | None:
    try:
        return b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        return None
