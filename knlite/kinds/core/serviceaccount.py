"""ServiceAccount: who a pod or a sender of events acts as; tokens are issued in its name.

Source: Kubernetes core/v1 ServiceAccount.
"""

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.fielderror import Errors
from knlite.kinds.meta import Object
from knlite.kinds.names import subdomain_1123_problems
from knlite.kinds.objectname import name_errors
from knlite.kinds.podspec.fields import LocalObjectReference


class ServiceAccount(Object):
    """Grants nothing."""

    secrets: tuple[ObjectReference, ...] = ()
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    automount_service_account_token: bool | None = None


def validated(obj: ServiceAccount, old: ServiceAccount | None, config: Config) -> Errors:
    """What is wrong with *obj*."""
    return name_errors(obj, subdomain_1123_problems)
