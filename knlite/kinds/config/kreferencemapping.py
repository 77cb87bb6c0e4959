"""config-kreference-mapping: addresses of objects that have none, by a template for their kind.

A key is ``Kind.version.group`` (``Kind.version`` in the core group). A key of another form is
passed over.

Source: knative/eventing ``pkg/resolver/mapping_resolver.go``; Eventing reference §15.
Differs: a template that cannot be read, or that gives no absolute URL, is refused; upstream passes
the one over with a word in its log, and sends to the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from knlite.kinds.config.templates import fill
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.kreference import KReference

NAME = "config-kreference-mapping"

SYSTEM_NAMESPACE = "knative-eventing"


@dataclass(frozen=True, slots=True)
class ReferenceMapping:
    """Templates by apiVersion and kind."""

    templates: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def address(self, ref: KReference, namespace: str) -> str | None:
        """The URL of what *ref* in *namespace* names; None where its kind has no template."""
        template = self.templates.get((ref.api_version, ref.kind))
        return None if template is None else _filled(template, ref.name, namespace)


def parse(data: Mapping[str, str]) -> ReferenceMapping:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    templates: dict[tuple[str, str], str] = {}
    for key, template in data.items():
        kind, _, rest = key.partition(".")
        version, _, group = rest.partition(".")
        if key.startswith("_") or not kind or not version:
            continue
        try:
            url = _filled(template, "name", "namespace")
        except ConfigInvalid as exc:
            raise ConfigInvalid(f'failed to parse "{key}": {exc.text}') from exc
        if not _is_absolute(url):
            raise ConfigInvalid(f'failed to parse "{key}": {url} is no absolute URL')
        templates[f"{group}/{version}" if group else version, kind] = template.strip()
    return ReferenceMapping(templates)


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return bool(parts.scheme and parts.hostname)


def _filled(template: str, name: str, namespace: str) -> str:
    # Knative does not know the uid of what it has not looked up, either.
    known = {
        "Name": name,
        "Namespace": namespace,
        "SystemNamespace": SYSTEM_NAMESPACE,
        "UID": "",
    }
    return fill(template, known)
