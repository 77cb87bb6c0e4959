"""How a KafkaSource proves itself to its servers: SASL, TLS, and where in Secrets the values are.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/apis/bindings/v1``.
Not here: reading the Secrets (``knlite/eventing/kafka``).
"""

import msgspec

from knlite.kinds.meta import Fields
from knlite.kinds.podspec.fields import KeySelector


class SecretValue(Fields):
    """A value that stands in a Secret."""

    secret_key_ref: KeySelector | None = None


class KafkaSASL(Fields):
    """A user and a password; the type is that of the mechanism, PLAIN if there is none."""

    enable: bool = False
    user: SecretValue = SecretValue()
    password: SecretValue = SecretValue()
    role_arn: SecretValue = msgspec.field(default=SecretValue(), name="roleARN")
    token_provider: SecretValue = SecretValue()
    type: SecretValue = SecretValue()


class KafkaTLS(Fields):
    """A certificate with its key, and the authority that the servers are trusted by."""

    enable: bool = False
    cert: SecretValue = SecretValue()
    key: SecretValue = SecretValue()
    ca_cert: SecretValue = SecretValue()


class KafkaNet(Fields):
    """How servers are reached."""

    sasl: KafkaSASL = KafkaSASL()
    tls: KafkaTLS = KafkaTLS()
