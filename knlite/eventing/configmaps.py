"""The entries of ConfigMaps that Brokers and channels refer to; ``--set`` goes before what is kept.

Source: ``kinds/config/servers.py`` (which can be set).
"""

from collections.abc import Mapping

from knlite.kinds.config.bundle import EVENTING_NAMESPACE
from knlite.kinds.core.configmap import ConfigMap
from knlite.reconcile import View


def entries_of(view: View, namespace: str, name: str) -> Mapping[str, str] | None:
    """The entries of the ConfigMap *name*; None if there is none."""
    found = view.get(ConfigMap, namespace, name)
    if found is None:
        return None
    changed = view.config.servers.get(name, {}) if namespace == EVENTING_NAMESPACE else {}
    return {**found.data, **changed}
