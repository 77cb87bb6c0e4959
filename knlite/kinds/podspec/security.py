"""Rules of security contexts, and warnings about what a manifest leaves insecure.

Source: knative/serving ``pkg/apis/serving/k8s_validation.go``; Knative reference §1.6, §1.7.
Not here: the restrictive defaults behind ``secure-pod-defaults`` (``defaults.py``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, out_of_bounds, under
from knlite.kinds.podspec import fieldmask
from knlite.kinds.podspec.fields import PodSpec, SecurityContext

_LARGEST_ID = 2**31 - 1
INSECURE_DEFAULT = (
    "Kubernetes default value is insecure, Knative may default this to secure in a future release"
)


def pod_security_errors(context: object, features: FeaturesConfig) -> Errors:
    """What is wrong with the security context of a whole pod, as decoded."""
    if context is None:
        return ()
    if not isinstance(context, Mapping):
        return (invalid(context, ""),)
    errors = [*fieldmask.pod_security_context_errors(context, features)]
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        errors += _id_errors(context.get(field), field)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        errors += _id_errors(group, f"supplementalGroups[{index}]")
    return tuple(errors)


def container_security_errors(context: SecurityContext | None, features: FeaturesConfig) -> Errors:
    """What is wrong with the security context of a container."""
    if context is None:
        return ()
    errors = [*fieldmask.security_context_errors(context)]
    if context.capabilities is not None:
        found = fieldmask.capabilities_errors(context.capabilities, features)
        errors += under("capabilities", found)
    errors += _id_errors(context.run_as_user, "runAsUser")
    errors += _id_errors(context.run_as_group, "runAsGroup")
    return tuple(errors)


def insecure_defaults(pod: PodSpec, features: FeaturesConfig) -> Errors:
    """Warnings for the containers of *pod*, unless they get secure defaults."""
    if features.secure_pods:
        return ()
    of_pod = pod.security_context if isinstance(pod.security_context, Mapping) else {}
    errors: list[FieldError] = []
    for field, containers in (
        ("containers", pod.containers),
        ("initContainers", pod.init_containers),
    ):
        for index, container in enumerate(containers):
            found = tuple(_insecure(container.security_context or SecurityContext(), of_pod))
            errors += under(f"{field}[{index}].securityContext", found)
    return tuple(errors)


def _id_errors(value: object, path: str) -> Errors:
    """An absent id is fine; a present one is a number of 31 bits."""
    if value is None:
        return ()
    if not isinstance(value, int):
        return (invalid(value, path),)
    if not 0 <= value <= _LARGEST_ID:
        return (out_of_bounds(value, 0, _LARGEST_ID, path),)
    return ()


def _insecure(context: SecurityContext, of_pod: Mapping[str, object]) -> Iterator[FieldError]:
    if of_pod.get("runAsNonRoot") is None and context.run_as_non_root is None:
        yield _warning("runAsNonRoot")
    if context.allow_privilege_escalation is None:
        yield _warning("allowPrivilegeEscalation")
    profiles = [
        profile
        for profile in (context.seccomp_profile, of_pod.get("seccompProfile"))
        if isinstance(profile, Mapping)
    ]
    if not profiles:
        yield _warning("seccompProfile")
    elif not any(profile.get("type") for profile in profiles):
        yield _warning("seccompProfile.type")
    if context.capabilities is None:
        yield _warning("capabilities")
    elif not context.capabilities.drop:
        yield _warning("capabilities.drop")
    elif context.capabilities.drop[0] == "all":
        text = "Must be spelled as 'ALL'"
        yield replace(invalid("all", "capabilities.drop", text), level="warning")


def _warning(field: str) -> FieldError:
    return replace(generic(INSECURE_DEFAULT, field), level="warning")
