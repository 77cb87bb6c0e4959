"""ChannelTemplateSpec: the kind of channel that somebody wants made, and the spec it begins with.

Source: knative/eventing ``pkg/apis/messaging/v1/channel_template_types.go``; Eventing reference §5.
"""

from collections.abc import Mapping
from typing import Any

from knlite.kinds.fielderror import Errors, missing, under
from knlite.kinds.meta import Fields

PATH = "channelTemplate"


class ChannelTemplate(Fields):
    """``spec`` is that of the kind named here, which nobody reads before there is a channel."""

    api_version: str = ""
    kind: str = ""
    spec: Mapping[str, Any] | None = None


def validated(template: ChannelTemplate | None) -> Errors:
    """What is wrong with *template*; paths are relative to the spec that holds it."""
    if template is None:
        return (missing(PATH),)
    absent = (
        missing(name)
        for name, value in (("kind", template.kind), ("apiVersion", template.api_version))
        if not value
    )
    return under(PATH, absent)
