"""The platform's own ConfigMaps: one that is deleted comes back as it was shipped.

Whoever takes a ``config-*`` file away wants the defaults again, and clients go on finding the
ConfigMap where Knative has it.

Not here: making them at the start (``controlplane/foundation.py``); what they say
(``kinds/config/``).
"""

from datetime import datetime

from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.reconcile import Create, Key, Outcome, View


def reconcile(key: Key, view: View, _now: datetime) -> Outcome:
    """The ConfigMap at *key*, if it is the platform's and missing."""
    wanted = shipped().get((key.namespace, key.name))
    if wanted is None or view.get(ConfigMap, key.namespace, key.name) is not None:
        return Outcome()
    if view.get(Namespace, "", key.namespace) is None:
        return Outcome()
    return Outcome((Create(wanted),))
