"""config-features of Eventing: which optional behaviour is on.

An unknown value is kept with a warning, and then the flag is neither enabled nor disabled; unknown
keys are kept without a word.

Source: knative/eventing ``pkg/apis/feature/features.go``; Eventing reference §16.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.kreference import KREFERENCE_GROUP

NAME: Final = "config-features"

DELIVERY_RETRY_AFTER: Final = "delivery-retryafter"
DELIVERY_TIMEOUT: Final = "delivery-timeout"
CROSS_NAMESPACE_LINKS: Final = "cross-namespace-event-links"
KREFERENCE_MAPPING: Final = "kreference-mapping"
TRANSPORT_ENCRYPTION: Final = "transport-encryption"
EVENTTYPE_AUTO_CREATE: Final = "eventtype-auto-create"
AUTHENTICATION_OIDC: Final = "authentication-oidc"
DEFAULT_AUTHORIZATION_MODE: Final = "default-authorization-mode"
APISERVERSOURCE_FILTERS: Final = "new-apiserversource-filters"
OIDC_DISCOVERY_BASE_URL: Final = "oidc-discovery-base-url"
REQUEST_REPLY_TIMEOUT: Final = "requestreply-default-timeout"
NODE_SELECTOR_PREFIX: Final = "apiserversources-nodeselector-"

KEYS: Final[frozenset[str]] = frozenset(
    {
        KREFERENCE_GROUP,
        DELIVERY_RETRY_AFTER,
        DELIVERY_TIMEOUT,
        CROSS_NAMESPACE_LINKS,
        KREFERENCE_MAPPING,
        TRANSPORT_ENCRYPTION,
        EVENTTYPE_AUTO_CREATE,
        AUTHENTICATION_OIDC,
        DEFAULT_AUTHORIZATION_MODE,
        APISERVERSOURCE_FILTERS,
        OIDC_DISCOVERY_BASE_URL,
        REQUEST_REPLY_TIMEOUT,
    }
)

_SWITCH = ("enabled", "disabled", "allowed")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    TRANSPORT_ENCRYPTION: ("disabled", "permissive", "strict"),
    DEFAULT_AUTHORIZATION_MODE: ("allow-same-namespace", "allow-all", "deny-all"),
}
STANDARDS: Mapping[str, str] = {
    DELIVERY_TIMEOUT: "enabled",
    DEFAULT_AUTHORIZATION_MODE: "allow-same-namespace",
    OIDC_DISCOVERY_BASE_URL: "https://kubernetes.default.svc",
    REQUEST_REPLY_TIMEOUT: "PT30S",
}
"""Defaults; what is not among them is disabled."""

WITHOUT_EFFECT: Mapping[str, str] = {
    TRANSPORT_ENCRYPTION: "events stay on this machine, and are not encrypted",
    OIDC_DISCOVERY_BASE_URL: "tokens are issued and checked here, for one issuer",
}
"""Flags that change nothing here, and why."""


@dataclass(frozen=True, slots=True)
class EventingFeatures:
    """Flags as they were written, by the key of the ConfigMap."""

    flags: Mapping[str, str] = field(default_factory=dict)

    def flag(self, key: str) -> str:
        """The value of *key* in small letters; its default if it is not set."""
        return self._text(key).lower()

    def enabled(self, key: str) -> bool:
        """Whether the feature *key* is on."""
        return self.flag(key) == "enabled"

    @property
    def delivery_timeout(self) -> bool:
        """Whether ``delivery.timeout`` may be set."""
        return self.enabled(DELIVERY_TIMEOUT)

    @property
    def delivery_retry_after(self) -> bool:
        """Whether ``delivery.retryAfterMax`` may be set."""
        return self.enabled(DELIVERY_RETRY_AFTER)

    @property
    def authentication(self) -> bool:
        """Whether ``authentication-oidc`` is on."""
        return self.enabled(AUTHENTICATION_OIDC)

    @property
    def default_authorization_mode(self) -> str:
        """``allow-same-namespace``, ``allow-all`` or ``deny-all``."""
        key = DEFAULT_AUTHORIZATION_MODE
        mode = self.flag(key)
        return mode if mode in _CHOICES[key] else STANDARDS[key]

    @property
    def discovery_base_url(self) -> str:
        """Where issuers of tokens are looked up."""
        return self._text(OIDC_DISCOVERY_BASE_URL)

    @property
    def request_reply_timeout(self) -> float:
        """Seconds that a RequestReply waits which does not say; the default if it is unreadable."""
        try:
            return parse_iso(self._text(REQUEST_REPLY_TIMEOUT))
        except InvalidDuration:
            return parse_iso(STANDARDS[REQUEST_REPLY_TIMEOUT])

    @property
    def request_reply_timeout_text(self) -> str:
        """The same as it was written, which is what such an object then says."""
        return self._text(REQUEST_REPLY_TIMEOUT)

    def _text(self, key: str) -> str:
        return self.flags.get(key, STANDARDS.get(key, "disabled")).strip()


def parse(data: Mapping[str, str]) -> EventingFeatures:
    """The flags that *data* sets; nothing is refused, as upstream."""
    return EventingFeatures(
        {key.strip(): value for key, value in data.items() if not key.startswith("_")}
    )


def warnings(data: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(key, sentence) of what *data* sets that nobody understands, or that changes nothing here."""
    features = parse(data)
    for key, value in features.flags.items():
        if key in WITHOUT_EFFECT:
            if features.flag(key) != "disabled":
                yield key, f"has no effect: {WITHOUT_EFFECT[key]}"
        elif key.startswith(NODE_SELECTOR_PREFIX):
            yield key, "has no effect: there is one machine"
        elif key == REQUEST_REPLY_TIMEOUT:
            if not _is_duration(value):
                yield key, f'"{value}" is no ISO 8601 duration such as PT30S; the default counts'
        elif key in KEYS:
            choices = _CHOICES.get(key, _SWITCH)
            if features.flag(key) not in choices:
                yield key, f'unknown feature flag value "{value}"; known are: {", ".join(choices)}'


def _is_duration(text: str) -> bool:
    try:
        parse_iso(text.strip())
    except InvalidDuration:
        return False
    return True
