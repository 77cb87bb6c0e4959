"""default-ch-webhook: the kind of channel that those get who do not say (``knative-eventing``).

Source: knative/eventing ``pkg/apis/messaging/config/channel_defaults.go``; Eventing reference §5,
§20.7. Not here: reading the YAML text below ``default-ch-config``, which needs a YAML library
(``registry/configmaps.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from knlite.kinds.codec import decode
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import Fields

NAME = "default-ch-webhook"

DEFAULT_CHANNEL = "default-ch-config"
KEYS: frozenset[str] = frozenset({DEFAULT_CHANNEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDefaults:
    """Channel templates of the cluster and by namespace; None where there is none."""

    cluster: ChannelTemplate | None = ChannelTemplate(
        api_version="messaging.knative.dev/v1", kind="InMemoryChannel"
    )
    namespaces: Mapping[str, ChannelTemplate] = field(default_factory=dict)

    def template_for(self, namespace: str) -> ChannelTemplate | None:
        """The template of a Channel in *namespace* that brings none."""
        return self.namespaces.get(namespace, self.cluster)


class _Document(Fields):
    """What stands below ``default-ch-config``."""

    cluster_default: ChannelTemplate | None = None
    namespace_defaults: Mapping[str, ChannelTemplate] = msgspec.field(default_factory=dict)


def parse(defaults: object) -> ChannelDefaults:
    """The section that the document *defaults* describes; raises ``ConfigInvalid``.

    None, if there is no document, leaves the shipped defaults.
    """
    if defaults is None:
        return ChannelDefaults()
    decoded = decode(_Document, defaults, strict=False)
    if decoded.value is None:
        problems = "; ".join(str(problem) for problem in decoded.problems)
        raise ConfigInvalid(f'failed to parse "{DEFAULT_CHANNEL}": {problems}')
    return ChannelDefaults(
        cluster=decoded.value.cluster_default, namespaces=decoded.value.namespace_defaults
    )
