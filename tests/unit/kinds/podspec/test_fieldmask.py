"""Knative reference §1.5, §1.6: which fields of a pod are accepted, and which a flag opens."""

import pytest

from knlite.kinds.codec import decode
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import rendered
from knlite.kinds.podspec import fieldmask
from knlite.kinds.podspec.fields import (
    Capabilities,
    Container,
    ContainerPort,
    EnvVarSource,
    PodSpec,
    Resources,
    SecurityContext,
    Volume,
    VolumeMount,
)
from knlite.kinds.serving.revision import RevisionSpec

SHIPPED = FeaturesConfig()


def pod(tree: dict[str, object]) -> PodSpec:
    decoded = decode(RevisionSpec, tree)
    assert decoded.value is not None, decoded.problems
    return decoded.value


@pytest.mark.parametrize(
    "tree",
    [
        {"serviceAccountName": "x"},
        {"imagePullSecrets": [{"name": "x"}]},
        {"enableServiceLinks": False},
        {"automountServiceAccountToken": False},
        {"containerConcurrency": 1, "timeoutSeconds": 1},
        {"responseStartTimeoutSeconds": 1, "idleTimeoutSeconds": 1},
        {"hostNetwork": False, "nodeName": "", "readinessGates": []},
    ],
)
def test_accepts_without_a_flag(tree: dict[str, object]) -> None:
    assert fieldmask.pod_errors(pod(tree), SHIPPED) == ()


@pytest.mark.parametrize(
    "tree",
    [
        {"restartPolicy": "Always"},
        {"terminationGracePeriodSeconds": 0},
        {"activeDeadlineSeconds": 1},
        {"nodeName": "x"},
        {"hostname": "x"},
        {"subdomain": "x"},
        {"setHostnameAsFQDN": False},
        {"priority": 0},
        {"readinessGates": [{}]},
        {"preemptionPolicy": "Never"},
        {"overhead": {}},
        {"ephemeralContainers": [{}]},
        {"serviceAccount": "x"},
        {"hostUsers": True},
        {"os": {"name": "linux"}},
        {"schedulingGates": [{}]},
        {"resourceClaims": [{}]},
        {"automountServiceAccountToken": True},
    ],
    ids=lambda tree: next(iter(tree)),
)
def test_never_accepts(tree: dict[str, object]) -> None:
    allowed = FeaturesConfig({"kubernetes.podspec-securitycontext": "Enabled"})
    for features in (SHIPPED, allowed):
        errors = fieldmask.pod_errors(pod(tree), features)
        assert rendered(errors) == f"must not set the field(s): {next(iter(tree))}"


@pytest.mark.parametrize(
    ("flag", "tree"),
    [
        ("kubernetes.podspec-init-containers", {"initContainers": [{"name": "x"}]}),
        ("kubernetes.podspec-securitycontext", {"securityContext": {}}),
        ("secure-pod-defaults", {"securityContext": {}}),
        ("kubernetes.podspec-affinity", {"affinity": {}}),
        ("kubernetes.podspec-dnsconfig", {"dnsConfig": {}}),
        ("kubernetes.podspec-dnspolicy", {"dnsPolicy": "None"}),
        ("kubernetes.podspec-hostaliases", {"hostAliases": [{}]}),
        ("kubernetes.podspec-hostipc", {"hostIPC": True}),
        ("kubernetes.podspec-hostnetwork", {"hostNetwork": True}),
        ("kubernetes.podspec-hostpid", {"hostPID": True}),
        ("kubernetes.podspec-nodeselector", {"nodeSelector": {"a": "b"}}),
        ("kubernetes.podspec-priorityclassname", {"priorityClassName": "x"}),
        ("kubernetes.podspec-runtimeclassname", {"runtimeClassName": ""}),
        ("kubernetes.podspec-schedulername", {"schedulerName": "x"}),
        ("kubernetes.podspec-shareprocessnamespace", {"shareProcessNamespace": False}),
        ("kubernetes.podspec-tolerations", {"tolerations": [{}]}),
        ("kubernetes.podspec-topologyspreadconstraints", {"topologySpreadConstraints": [{}]}),
    ],
)
def test_a_flag_opens_its_field(flag: str, tree: dict[str, object]) -> None:
    refused = fieldmask.pod_errors(pod(tree), SHIPPED)
    assert rendered(refused) == f"must not set the field(s): {next(iter(tree))}"
    opened = FeaturesConfig({flag: "Enabled" if flag.startswith("secure") else "Allowed"})
    assert fieldmask.pod_errors(pod(tree), opened) == ()


def test_container_fields_that_a_cluster_would_run_otherwise_are_refused_by_name() -> None:
    container = Container(
        name="x",
        lifecycle={},
        stdin=True,
        stdin_once=True,
        tty=True,
        volume_devices=({},),
        resize_policy=({},),
        restart_policy="Always",
    )
    assert rendered(fieldmask.container_errors(container)) == (
        "must not set the field(s): lifecycle, resizePolicy, restartPolicy, stdin, stdinOnce,"
        " tty, volumeDevices"
    )
    assert fieldmask.container_errors(Container(name="x", stdin=False, tty=False)) == ()


def test_a_port_of_the_host_is_refused() -> None:
    port = ContainerPort(container_port=8080, host_port=80, host_ip="127.0.0.1")
    assert rendered(fieldmask.port_errors(port)) == "must not set the field(s): hostIP, hostPort"
    assert fieldmask.port_errors(ContainerPort(host_port=0, host_ip="")) == ()


def test_resources_have_requests_and_limits_only() -> None:
    assert rendered(fieldmask.resources_errors(Resources(claims=({},)))) == (
        "must not set the field(s): claims"
    )


def test_references_to_fields_of_the_pod_need_their_flag() -> None:
    source = EnvVarSource(field_ref={}, resource_field_ref={})
    assert rendered(fieldmask.env_source_errors(source, SHIPPED)) == (
        "must not set the field(s): fieldRef, resourceFieldRef"
    )
    opened = FeaturesConfig({"kubernetes.podspec-fieldref": "Allowed"})
    assert fieldmask.env_source_errors(source, opened) == ()


def test_a_container_may_only_say_that_it_is_not_privileged() -> None:
    assert fieldmask.security_context_errors(SecurityContext(privileged=False)) == ()
    context = SecurityContext(privileged=True, proc_mount="x", se_linux_options={})
    assert rendered(fieldmask.security_context_errors(context)) == (
        "must not set the field(s): privileged, procMount, seLinuxOptions"
    )


@pytest.mark.parametrize(
    ("add", "flags", "fine"),
    [
        ((), {}, True),
        (("NET_ADMIN",), {}, False),
        (("NET_ADMIN",), {"kubernetes.containerspec-addcapabilities": "Allowed"}, False),
        (("NET_ADMIN",), {"kubernetes.containerspec-addcapabilities": "Enabled"}, True),
        (("NET_BIND_SERVICE",), {}, False),
        (("NET_BIND_SERVICE",), {"secure-pod-defaults": "AllowRootBounded"}, True),
        (("NET_BIND_SERVICE", "X"), {"secure-pod-defaults": "Enabled"}, False),
    ],
)
def test_capabilities_are_added_by_flag(
    add: tuple[str, ...], flags: dict[str, str], fine: bool
) -> None:
    errors = fieldmask.capabilities_errors(Capabilities(add=add), FeaturesConfig(flags))
    assert rendered(errors) == ("" if fine else "must not set the field(s): add")


def test_a_mount_says_where_and_whether_it_is_read_only() -> None:
    mount = VolumeMount(
        name="x", mount_path="/x", sub_path_expr="$(X)", recursive_read_only="Enabled"
    )
    assert rendered(fieldmask.mount_errors(mount, SHIPPED)) == (
        "must not set the field(s): recursiveReadOnly, subPathExpr"
    )
    propagated = VolumeMount(name="x", mount_path="/x", sub_path="y", mount_propagation="None")
    assert rendered(fieldmask.mount_errors(propagated, SHIPPED)) == (
        "must not set the field(s): mountPropagation"
    )


def test_a_security_context_of_the_pod_is_opened_field_by_field() -> None:
    context = {"runAsUser": 1, "sysctls": [], "seccompProfile": {"type": "RuntimeDefault"}}
    check = fieldmask.pod_security_context_errors
    assert rendered(check(context, SHIPPED)) == (
        "must not set the field(s): runAsUser, seccompProfile, sysctls"
    )
    secure = FeaturesConfig({"secure-pod-defaults": "Enabled"})
    assert rendered(check(context, secure)) == "must not set the field(s): runAsUser, sysctls"
    opened = FeaturesConfig({"kubernetes.podspec-securitycontext": "Allowed"})
    assert rendered(check(context, opened)) == "must not set the field(s): sysctls"


def test_sources_of_volumes_are_opened_one_by_one() -> None:
    volume = Volume(name="v", host_path={}, nfs={}, downward_api={})
    assert rendered(fieldmask.volume_errors(volume, SHIPPED)) == (
        "must not set the field(s): downwardAPI, hostPath, nfs"
    )
    opened = FeaturesConfig({"kubernetes.podspec-volumes-hostpath": "Allowed"})
    assert rendered(fieldmask.volume_errors(volume, opened)) == (
        "must not set the field(s): downwardAPI, nfs"
    )
