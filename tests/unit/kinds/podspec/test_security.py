"""Knative reference §1.6, §1.7: security contexts, and warnings about insecure defaults."""

import pytest

from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.podspec.fields import Capabilities, Container, PodSpec, SecurityContext
from knlite.kinds.podspec.security import (
    container_security_errors,
    insecure_defaults,
    pod_security_errors,
)

SHIPPED = FeaturesConfig()
INSECURE = (
    "Kubernetes default value is insecure, Knative may default this to secure in a future release: "
)


def test_ids_are_numbers_of_31_bits() -> None:
    context = SecurityContext(run_as_user=-10, run_as_group=2**31)
    assert rendered(container_security_errors(context, SHIPPED)) == (
        "expected 0 <= -10 <= 2147483647: runAsUser\n"
        "expected 0 <= 2147483648 <= 2147483647: runAsGroup"
    )
    assert container_security_errors(SecurityContext(run_as_user=0), SHIPPED) == ()
    assert container_security_errors(None, SHIPPED) == ()


def test_a_privileged_container_is_refused() -> None:
    context = SecurityContext(privileged=True, capabilities=Capabilities(add=("X",)))
    assert rendered(container_security_errors(context, SHIPPED)) == (
        "must not set the field(s): capabilities.add, privileged"
    )


def test_the_context_of_a_pod_has_the_same_bounds() -> None:
    opened = FeaturesConfig({"kubernetes.podspec-securitycontext": "Enabled"})
    context = {"runAsUser": -1, "fsGroup": -1, "supplementalGroups": [1, -1], "runAsGroup": "x"}
    assert rendered(pod_security_errors(context, opened)) == (
        "expected 0 <= -1 <= 2147483647: fsGroup, runAsUser, supplementalGroups[1]\n"
        "invalid value: x: runAsGroup"
    )
    assert rendered(pod_security_errors("x", opened)) == "invalid value: x: "


SECURE = SecurityContext(
    run_as_non_root=True,
    allow_privilege_escalation=False,
    seccomp_profile={"type": "RuntimeDefault"},
    capabilities=Capabilities(drop=("ALL",)),
)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (
            None,
            INSECURE + "containers[0].securityContext.allowPrivilegeEscalation,"
            " containers[0].securityContext.capabilities,"
            " containers[0].securityContext.runAsNonRoot,"
            " containers[0].securityContext.seccompProfile",
        ),
        (SECURE, ""),
        (
            SecurityContext(
                run_as_non_root=True,
                allow_privilege_escalation=False,
                seccomp_profile={},
                capabilities=Capabilities(drop=("all",)),
            ),
            INSECURE + "containers[0].securityContext.seccompProfile.type\n"
            "invalid value: all: containers[0].securityContext.capabilities.drop\n"
            "Must be spelled as 'ALL'",
        ),
    ],
)
def test_warns_of_what_kubernetes_leaves_open(context: SecurityContext | None, text: str) -> None:
    pod = PodSpec(containers=(Container(security_context=context),))
    warnings = insecure_defaults(pod, SHIPPED)
    assert rendered(warnings) == text
    assert refusing(warnings) == ()


def test_does_not_warn_where_the_pod_or_the_platform_is_secure() -> None:
    pod = PodSpec(
        containers=(
            Container(
                security_context=SecurityContext(
                    allow_privilege_escalation=False, capabilities=Capabilities(drop=("ALL",))
                )
            ),
        ),
        security_context={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    )
    assert insecure_defaults(pod, SHIPPED) == ()
    secure = FeaturesConfig({"secure-pod-defaults": "AllowRootBounded"})
    assert insecure_defaults(PodSpec(containers=(Container(),)), secure) == ()
