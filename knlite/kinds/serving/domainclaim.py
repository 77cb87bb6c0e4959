"""ClusterDomainClaim: which namespace may map a domain; there is one for each domain.

Source: ``networking.internal.knative.dev/v1alpha1`` ClusterDomainClaim, knative/networking
``pkg/apis/networking/v1alpha1/domain_validation.go``; Knative reference §1.13.
"""

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, missing
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors


class ClusterDomainClaimSpec(Fields):
    """*namespace* is the one whose DomainMapping gets the domain."""

    namespace: str = ""


class ClusterDomainClaim(Object):
    """The claim of a namespace to the domain that is its name."""

    spec: ClusterDomainClaimSpec = ClusterDomainClaimSpec()


def validated(obj: ClusterDomainClaim, old: ClusterDomainClaim | None, config: Config) -> Errors:
    """What is wrong with *obj*."""
    errors = name_errors(obj)
    return errors if obj.spec.namespace else (*errors, missing("spec.namespace"))
