"""The ``config-*`` ConfigMaps and ``--set`` to the one ``Config`` that everything is configured by.

ConfigMaps keep what no section knows, as on a cluster. ``--set`` refuses it: there it can only be a
mistake.

Source: Knative reference §2.2, §1.4; Eventing reference §3, §16.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

import yaml

from knlite.errors import InvalidInput
from knlite.kinds.config import (
    autoscaler,
    channels,
    defaults,
    deployment,
    eventing,
    eventingfeatures,
    features,
    gc,
    kafkafeatures,
    kreferencemapping,
    network,
    observability,
    ping,
    sugar,
)
from knlite.kinds.config.bundle import EVENTING_NAMESPACE, SERVING_NAMESPACE, Config
from knlite.kinds.config.servers import SERVER_MAPS
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap

T = TypeVar("T")

Overrides = Mapping[str, Mapping[str, str]]
"""ConfigMap to key to value."""

_KEYS: Mapping[tuple[str, str], frozenset[str]] = {
    (SERVING_NAMESPACE, autoscaler.NAME): autoscaler.KEYS,
    (SERVING_NAMESPACE, defaults.NAME): defaults.KEYS,
    (SERVING_NAMESPACE, deployment.NAME): deployment.KEYS,
    (SERVING_NAMESPACE, features.NAME): features.KEYS,
    (SERVING_NAMESPACE, gc.NAME): gc.KEYS,
    (SERVING_NAMESPACE, network.NAME): network.KEYS,
    (SERVING_NAMESPACE, observability.NAME): observability.KEYS,
    (EVENTING_NAMESPACE, channels.NAME): channels.KEYS,
    (EVENTING_NAMESPACE, eventing.NAME): eventing.KEYS,
    (EVENTING_NAMESPACE, eventingfeatures.NAME): eventingfeatures.KEYS,
    (EVENTING_NAMESPACE, kafkafeatures.NAME): kafkafeatures.KEYS,
    (EVENTING_NAMESPACE, ping.NAME): ping.KEYS,
    (EVENTING_NAMESPACE, sugar.NAME): sugar.KEYS,
}
_OF_ANY_KEY = frozenset((network.DOMAIN_NAME, kreferencemapping.NAME))
_SECTIONS = frozenset(
    (
        *_KEYS,
        (SERVING_NAMESPACE, network.DOMAIN_NAME),
        (EVENTING_NAMESPACE, kreferencemapping.NAME),
    )
)


def is_config(obj: ConfigMap) -> bool:
    """Whether *obj* configures the platform."""
    return (obj.metadata.namespace, obj.metadata.name) in _SECTIONS


def read_config(
    maps: Iterable[ConfigMap],
    overrides: Overrides,
    external_port: int,
    external_tls_port: int,
    *,
    durable: bool = False,
) -> Config:
    """The configuration that *maps* and *overrides* describe; raises ``ConfigInvalid``."""
    data = {(obj.metadata.namespace, obj.metadata.name): obj.data for obj in maps if is_config(obj)}

    def section(namespace: str, name: str) -> dict[str, str]:
        wanted = overrides.get(name, {})
        known = _KEYS.get((namespace, name))
        # Serving and Eventing each have a config-features; a key goes to the one that knows it.
        set_here = {key: wanted[key] for key in wanted if known is None or key in known}
        return {**data.get((namespace, name), {}), **set_here}

    def parsed(name: str, parse: Callable[[Mapping[str, str]], T]) -> T:
        return _naming(name, lambda: parse(section(SERVING_NAMESPACE, name)))

    flags = section(EVENTING_NAMESPACE, eventingfeatures.NAME)
    return Config(
        autoscaler=parsed(autoscaler.NAME, autoscaler.parse),
        defaults=parsed(defaults.NAME, defaults.parse),
        deployment=parsed(deployment.NAME, deployment.parse),
        domain=parsed(network.DOMAIN_NAME, network.parse_domain),
        features=parsed(features.NAME, features.parse),
        gc=parsed(gc.NAME, gc.parse),
        network=parsed(network.NAME, network.parse),
        observability=parsed(observability.NAME, observability.parse),
        eventing=_naming(
            eventing.NAME,
            lambda: eventing.parse(
                _document(section(EVENTING_NAMESPACE, eventing.NAME), eventing.DEFAULT_BROKER),
                flags,
                durable=durable,
            ),
        ),
        channels=_naming(
            channels.NAME,
            lambda: channels.parse(
                _document(section(EVENTING_NAMESPACE, channels.NAME), channels.DEFAULT_CHANNEL)
            ),
        ),
        kafka=_naming(
            kafkafeatures.NAME,
            lambda: kafkafeatures.parse(section(EVENTING_NAMESPACE, kafkafeatures.NAME)),
        ),
        mapping=_naming(
            kreferencemapping.NAME,
            lambda: kreferencemapping.parse(section(EVENTING_NAMESPACE, kreferencemapping.NAME)),
        ),
        ping=_naming(ping.NAME, lambda: ping.parse(section(EVENTING_NAMESPACE, ping.NAME))),
        sugar=_naming(
            sugar.NAME,
            lambda: sugar.parse(
                *(
                    _document(section(EVENTING_NAMESPACE, sugar.NAME), key)
                    for key in (sugar.NAMESPACE_SELECTOR, sugar.TRIGGER_SELECTOR)
                )
            ),
        ),
        servers={name: overrides[name] for name in SERVER_MAPS if name in overrides},
        external_port=external_port,
        external_tls_port=external_tls_port,
        durable=durable,
    )


def require_known(overrides: Overrides) -> None:
    """Refuse what ``--set`` sets without effect: names, keys, and flags that nobody understands.

    Raises ``InvalidInput``. In a ConfigMap the same is a warning, as it may come from a cluster.
    """
    names = {name for _, name in _SECTIONS} | SERVER_MAPS.keys()
    for name, values in overrides.items():
        if name not in names:
            _refuse(f"--set {name}", "there is no such ConfigMap", name, names)
        if name in _OF_ANY_KEY:
            continue
        servers = SERVER_MAPS.get(name)
        keys = frozenset[str]().union(*(keys for (_, each), keys in _KEYS.items() if each == name))
        for key in values:
            if servers is not None:
                if not servers.knows(key):
                    _refuse(f"--set {name}.{key}", f"{name} has no such key", key, servers.keys)
            elif key not in keys:
                _refuse(f"--set {name}.{key}", f"{name} has no such key", key, keys)
    flags = overrides.get(eventingfeatures.NAME, {})
    for key, text in eventingfeatures.warnings(flags):
        what = f"--set {eventingfeatures.NAME}.{key}={flags[key]} sets nothing"
        raise InvalidInput(what, cause=text, fix="correct it, or leave it out")


def _refuse(what: str, cause: str, word: str, known: Iterable[str]) -> None:
    known = sorted(known)
    close = get_close_matches(word, known, n=1)
    fix = f"did you mean {close[0]}?" if close else f"known are: {', '.join(known)}"
    raise InvalidInput(f"{what} sets nothing", cause=cause, fix=fix)


def _document(data: Mapping[str, str], key: str) -> object:
    """The YAML document that is the value of *key*; None if there is none."""
    text = data.get(key)
    if text is None:
        return None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ConfigInvalid(f'failed to parse "{key}": {exc}') from exc


def _naming(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ConfigInvalid as exc:
        raise ConfigInvalid(exc.text, config_map=name) from exc
