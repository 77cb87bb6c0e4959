"""Knative reference §0 to §2: whole manifests, and the whole texts that refuse them."""

from typing import Any

import pytest
from msgspec.structs import replace

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.catalog import info_of, read
from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.defaults import DefaultsConfig
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.meta import Object
from knlite.kinds.serving.service import Service
from knlite.kinds.webhooks import denial

ENVELOPE = (
    'admission webhook "validation.webhook.serving.knative.dev" denied the request:'
    " validation failed: "
)
POD = "spec.template.spec"
SOLE = f"{POD}.containers[0]"
ANNOTATIONS = "spec.template.metadata.annotations"
A = "autoscaling.knative.dev"
S = "serving.knative.dev"
IMAGE = {"image": "example.com/shop"}
DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'example.com', regex used for"
    r" validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

Tree = dict[str, Any]


def service(
    spec: Tree | None = None,
    meta: Tree | None = None,
    template: Tree | None = None,
    kind: str = "Service",
    **others: Any,
) -> Object:
    pod = {"containers": [IMAGE], **(spec or {})}
    found = read(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": kind,
            "metadata": {"name": "shop", "namespace": "default", **(meta or {})},
            "spec": {"template": {"metadata": template or {}, "spec": pod}, **others},
        }
    )
    assert found.value is not None, found.problems
    return found.value


def route(*traffic: Tree) -> Object:
    found = read(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Route",
            "metadata": {"name": "shop", "namespace": "default"},
            "spec": {"traffic": list(traffic)},
        }
    )
    assert found.value is not None, found.problems
    return found.value


def container(**fields: Any) -> Object:
    return service({"containers": [{**IMAGE, **fields}]})


def template(key: str, value: str, **others: str) -> Object:
    return service(template={"annotations": {key: value, **others}})


def scaled(**annotations: str) -> Object:
    keys = {f"{A}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return service(template={"annotations": keys})


def refusal(obj: Object, config: Config | None = None, old: Object | None = None) -> str:
    """The text below the envelope; empty if *obj* is admitted."""
    found = admit(obj, old, config or Config(), "ada")
    if isinstance(found, Admitted):
        return ""
    assert isinstance(found, Denied)
    info = info_of(type(obj))
    message = denial(info.kind, info.group, obj.metadata, found.errors).message
    assert message.startswith(ENVELOPE), message
    return message.removeprefix(ENVELOPE)


METADATA = [  # §1.2
    (service(meta={"name": ""}), "name or generateName is required: metadata.name"),
    (service(meta={"name": "1shop"}), f"not a DNS 1035 label: [{DNS_1035}]: metadata.name"),
    (
        service(meta={"name": "", "generateName": "1shop-"}),
        f"not a DNS 1035 label prefix: [{DNS_1035}]: metadata.generateName",
    ),
    (
        service(meta={"annotations": {f"{A}/min-scale": "1"}}),
        f'invalid key name "{A}/min-scale": metadata.annotations\n'
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
    ),
    (
        service(kind="Configuration", meta={"labels": {f"{S}/service": "shop"}}),
        f"missing field(s): metadata.labels.{S}/service",
    ),
    (
        service(meta={"annotations": {f"{S}/rollout-duration": "x"}}),
        f"invalid value: x: metadata.annotations.{S}/rollout-duration",
    ),
    (
        service(meta={"annotations": {f"{S}/rolloutDuration": "1.5s"}}),
        "rollout-duration=1.5s is not at second precision:"
        f" metadata.annotations.{S}/rolloutDuration",
    ),
    (
        service(meta={"annotations": {f"{S}/rollout-duration": "-1s"}}),
        f"rollout-duration=-1s must be positive: metadata.annotations.{S}/rollout-duration",
    ),
]

TRAFFIC = [  # §1.3
    (
        service(traffic=[{"configurationName": "c", "percent": 100}]),
        "must not set the field(s): spec.traffic[0].configurationName",
    ),
    (
        route({"configurationName": "c", "revisionName": "r", "percent": 100}),
        "expected exactly one, got both:"
        " spec.traffic[0].configurationName, spec.traffic[0].revisionName",
    ),
    (
        route({"percent": 100}),
        "expected exactly one, got neither:"
        " spec.traffic[0].configurationName, spec.traffic[0].revisionName",
    ),
    (
        service(traffic=[{"revisionName": "r", "latestRevision": True, "percent": 100}]),
        'may not set revisionName "r" when latestRevision is true: spec.traffic[0].latestRevision',
    ),
    (
        service(traffic=[{"latestRevision": False, "percent": 100}]),
        'may not set revisionName "" when latestRevision is false: spec.traffic[0].latestRevision',
    ),
    (
        service(traffic=[{"percent": 90}]),
        "Traffic targets sum to 90, want 100: spec.traffic",
    ),
    (
        service(traffic=[{"percent": -1}, {"percent": 101}]),
        "expected 0 <= -1 <= 100: spec.traffic[0].percent\n"
        "expected 0 <= 101 <= 100: spec.traffic[1].percent",
    ),
    (
        service(traffic=[{"percent": 100, "tag": "V1"}]),
        f"invalid value: not a DNS 1035 label: [{DNS_1035}]: spec.traffic.tag[0]",
    ),
    (
        service(
            traffic=[{"percent": 100, "tag": "t"}, {"revisionName": "r", "tag": "t"}],
        ),
        'Multiple definitions for "t": spec.traffic[0].tag, spec.traffic[1].tag',
    ),
    (
        service(traffic=[{"percent": 100, "tag": "t", "url": "http://x"}]),
        "must not set the field(s): spec.traffic[0].url",
    ),
    (route(), "Traffic targets sum to 0, want 100: spec.traffic"),
]

REVISION = [  # §1.4
    (service({"timeoutSeconds": 700}), f"expected 0 <= 700 <= 600: {POD}.timeoutSeconds"),
    (service({"timeoutSeconds": -1}), f"expected 0 <= -1 <= 600: {POD}.timeoutSeconds"),
    (
        service({"containerConcurrency": 1001}),
        f"expected 0 <= 1001 <= 1000: {POD}.containerConcurrency",
    ),
    (
        service({"containerConcurrency": -1}),
        f"expected 0 <= -1 <= 1000: {POD}.containerConcurrency",
    ),
    (
        template("networking.knative.dev/x", "y"),
        f'invalid key name "networking.knative.dev/x": {ANNOTATIONS}',
    ),
    (
        template(f"{S}/progress-deadline", "soon"),
        f"invalid value: soon: {ANNOTATIONS}.{S}/progress-deadline",
    ),
    (
        template(f"{S}/progress-deadline", "1.5s"),
        f"progress-deadline=1.5s is not at second precision: {ANNOTATIONS}.{S}/progress-deadline",
    ),
    (
        template(f"{S}/progress-deadline", "-1s"),
        f"progress-deadline=-1s must be positive: {ANNOTATIONS}.{S}/progress-deadline",
    ),
    (
        template(f"queue.sidecar.{S}/cpu-resource-request", "x"),
        f"invalid value: x: {ANNOTATIONS}.[queue.sidecar.{S}/cpu-resource-request]",
    ),
    (
        template(f"queue.sidecar.{S}/resource-percentage", "200"),
        f"expected 0.1 <= 200 <= 100: {ANNOTATIONS}.[queue.sidecar.{S}/resource-percentage]",
    ),
]

NEVER = {  # §1.5
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 1,
    "activeDeadlineSeconds": 1,
    "nodeName": "n",
    "hostname": "h",
    "subdomain": "s",
    "setHostnameAsFQDN": True,
    "priority": 1,
    "readinessGates": [{"conditionType": "x"}],
    "preemptionPolicy": "Never",
    "overhead": {"cpu": "1"},
    "ephemeralContainers": [{"name": "x"}],
    "automountServiceAccountToken": True,
}
FLAGGED = {
    "affinity": ("affinity", {"nodeAffinity": {}}),
    "topologySpreadConstraints": ("topologyspreadconstraints", [{"maxSkew": 1}]),
    "nodeSelector": ("nodeselector", {"a": "b"}),
    "tolerations": ("tolerations", [{"key": "k"}]),
    "runtimeClassName": ("runtimeclassname", "gvisor"),
    "priorityClassName": ("priorityclassname", "high"),
    "schedulerName": ("schedulername", "mine"),
    "hostAliases": ("hostaliases", [{"ip": "1.2.3.4"}]),
    "dnsPolicy": ("dnspolicy", "None"),
    "dnsConfig": ("dnsconfig", {"nameservers": ["1.2.3.4"]}),
    "shareProcessNamespace": ("shareprocessnamespace", True),
    "hostIPC": ("hostipc", True),
    "hostPID": ("hostpid", True),
    "hostNetwork": ("hostnetwork", True),
    "securityContext": ("securitycontext", {"runAsUser": 1}),
}

PODS = [  # §1.5
    (service({"containers": []}), f"missing field(s): {POD}.containers"),
    (
        service({"serviceAccountName": "foo@bar.baz"}),
        f"invalid value: foo@bar.baz: {POD}.serviceAccountName\n{SUBDOMAIN}",
    ),
    (
        service({"initContainers": [IMAGE]}),
        f"must not set the field(s): {POD}.initContainers\n"
        "pod spec support for init-containers is off, but found 1 init containers: ",
    ),
]

CONTAINERS = [  # §1.6 and §7.3 (45, 46)
    (container(lifecycle={"preStop": {}}), f"must not set the field(s): {SOLE}.lifecycle"),
    (container(stdin=True), f"must not set the field(s): {SOLE}.stdin"),
    (container(stdinOnce=True), f"must not set the field(s): {SOLE}.stdinOnce"),
    (container(tty=True), f"must not set the field(s): {SOLE}.tty"),
    (
        container(volumeDevices=[{"name": "x", "devicePath": "/x"}]),
        f"must not set the field(s): {SOLE}.volumeDevices",
    ),
    (
        container(ports=[{"containerPort": 80, "hostPort": 80}]),
        f"must not set the field(s): {SOLE}.ports.hostPort",
    ),
    (
        container(ports=[{"containerPort": 80, "hostIP": "1.2.3.4"}]),
        f"must not set the field(s): {SOLE}.ports.hostIP",
    ),
    (
        container(resources={"claims": [{"name": "gpu"}]}),
        f"must not set the field(s): {SOLE}.resources.claims",
    ),
    (
        container(name="queue-proxy"),
        f'"queue-proxy" is a reserved container name: {SOLE}.name',
    ),
    (
        service(
            {
                "containers": [
                    {**IMAGE, "name": "x", "ports": [{"containerPort": 80}]},
                    {**IMAGE, "name": "x"},
                ]
            }
        ),
        f'duplicate container name "x": {POD}.containers[1].name',
    ),
    (container(image=""), f"missing field(s): {SOLE}.image"),
    (
        container(image="foo:bar:baz"),
        f"Failed to parse image reference: {SOLE}.image\n"
        'image: "foo:bar:baz", error: could not parse reference: foo:bar:baz',
    ),
    (container(env=[{"value": "x"}]), f"missing field(s): {SOLE}.env[0].name"),
    (
        container(env=[{"name": "PORT", "value": "x"}]),
        f'"PORT" is a reserved environment variable: {SOLE}.env[0].name',
    ),
    (
        container(env=[{"name": "K_REVISION", "value": "x"}]),
        f'"K_REVISION" is a reserved environment variable: {SOLE}.env[0].name',
    ),
    (
        container(env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        f"must not set the field(s): {SOLE}.env[0].valueFrom.fieldRef",
    ),
    (
        container(ports=[{"containerPort": 80}, {"containerPort": 81}]),
        f"more than one container port is set: {POD}.containers[*].ports\n"
        "Only a single port is allowed across all containers",
    ),
    (
        service({"containers": [{**IMAGE, "name": "a"}, {**IMAGE, "name": "b"}]}),
        f"missing field(s): {POD}.containers[*].ports",
    ),
    (
        container(ports=[{"containerPort": 8012}]),
        f"invalid value: 8012 is a reserved port: {SOLE}.ports.containerPort\n"
        "8012 is a reserved port, please use a different value",
    ),
    (
        container(ports=[{"containerPort": 65536}]),
        f"expected 0 <= 65536 <= 65535: {SOLE}.ports.containerPort",
    ),
    (
        container(ports=[{"containerPort": 80, "name": "arbitrary"}]),
        f"Port name arbitrary is not allowed: {SOLE}.ports\n"
        "Name must be empty, or one of: 'h2c', 'http1'",
    ),
    (
        container(ports=[{"containerPort": 80, "protocol": "UDP"}]),
        f"invalid value: UDP: {SOLE}.ports.protocol",
    ),
    (
        container(securityContext={"runAsUser": -10}),
        f"expected 0 <= -10 <= 2147483647: {SOLE}.securityContext.runAsUser",
    ),
    (
        container(securityContext={"privileged": True}),
        f"must not set the field(s): {SOLE}.securityContext.privileged",
    ),
    (
        container(securityContext={"capabilities": {"add": ["ALL"]}}),
        f"must not set the field(s): {SOLE}.securityContext.capabilities.add",
    ),
    (
        container(terminationMessagePolicy="Never"),
        f"invalid value: Never: {SOLE}.terminationMessagePolicy",
    ),
    (
        container(volumeMounts=[{"name": "v", "mountPath": "/x"}]),
        f"volumeMount has no matching volume: {SOLE}.volumeMounts[0].name",
    ),
    (
        service({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}),
        f'volume with name "v" not mounted: {POD}.volumes[0].name',
    ),
]

MOUNTED = {"name": "v", "mountPath": "/data"}
SECRET = {"name": "v", "secret": {"secretName": "s"}}


def mounted(mounts: list[Tree], *volumes: Tree) -> Object:
    found = [{**IMAGE, "volumeMounts": mounts}]
    return service({"containers": found, "volumes": list(volumes or (SECRET,))})


VOLUMES = [  # §1.6
    (
        mounted([MOUNTED, MOUNTED]),
        f'invalid value: "/data" must be unique: {SOLE}.volumeMounts[1].mountPath',
    ),
    (
        mounted([{**MOUNTED, "mountPath": "data"}]),
        f"invalid value: data: {SOLE}.volumeMounts[0].mountPath",
    ),
    (
        mounted([{**MOUNTED, "mountPath": "/dev/"}]),
        f'mountPath "/dev" is a reserved path: {SOLE}.volumeMounts[0].mountPath',
    ),
    (
        mounted([MOUNTED], SECRET, SECRET),
        f'duplicate volume name "v": {POD}.volumes[1].name',
    ),
    (
        mounted([MOUNTED], {"name": "v"}),
        "expected exactly one, got neither: "
        + ", ".join(
            f"{POD}.volumes[0].{each}" for each in ("configMap", "emptyDir", "projected", "secret")
        ),
    ),
    (
        mounted([MOUNTED], {**SECRET, "configMap": {"name": "m"}}),
        f"expected exactly one, got both: {POD}.volumes[0].configMap, {POD}.volumes[0].secret",
    ),
    (
        mounted([MOUNTED], {"name": "v", "emptyDir": {"medium": "Disk"}}),
        f"invalid value: Disk: {POD}.volumes[0].emptyDir.medium",
    ),
    (
        mounted([MOUNTED], {"name": "v", "emptyDir": {"sizeLimit": "-1"}}),
        f"invalid value: -1: {POD}.volumes[0].emptyDir.sizeLimit",
    ),
    (
        mounted([{**MOUNTED, "mountPropagation": "HostToContainer"}]),
        "Volume Mount Propagation support is disabled, but found volume mount v with mount"
        f" propagation: \nmust not set the field(s): {SOLE}.volumeMounts[0].mountPropagation",
    ),
]

HANDLERS = ", ".join(
    f"{SOLE}.livenessProbe.{each}" for each in ("exec", "grpc", "httpGet", "tcpSocket")
)
PROBES = [  # §1.6
    (
        container(readinessProbe={"failureThreshold": 7}),
        "failureThreshold is disallowed when periodSeconds is zero:"
        f" {SOLE}.readinessProbe.failureThreshold",
    ),
    (
        container(readinessProbe={"timeoutSeconds": 3}),
        "timeoutSeconds is disallowed when periodSeconds is zero:"
        f" {SOLE}.readinessProbe.timeoutSeconds",
    ),
    (
        container(readinessProbe={"periodSeconds": -1, "initialDelaySeconds": -1}),
        f"expected 0 <= -1 <= 2147483647: {SOLE}.readinessProbe.initialDelaySeconds,"
        f" {SOLE}.readinessProbe.periodSeconds",
    ),
    (
        container(readinessProbe={"successThreshold": -1}),
        f"expected 1 <= -1 <= 2147483647: {SOLE}.readinessProbe.successThreshold",
    ),
    (
        container(livenessProbe={"periodSeconds": 1}),
        f"expected exactly one, got neither: {HANDLERS}",
    ),
    (
        container(livenessProbe={"httpGet": {"port": "foo"}}),
        f"invalid value: foo: {SOLE}.livenessProbe.httpGet.port\n"
        "Probe port must match container port",
    ),
    (
        container(readinessProbe={"tcpSocket": {"port": "http1"}}),
        f"invalid value: http1: {SOLE}.readinessProbe.tcpSocket.port\n"
        "Probe port must match container port",
    ),
    (
        service(
            {
                "containers": [
                    {**IMAGE, "ports": [{"containerPort": 80}]},
                    {**IMAGE, "readinessProbe": {"tcpSocket": {"port": 81}}},
                ]
            }
        ),
        f"must not set the field(s): {POD}.containers[1].readinessProbe.successThreshold,"
        f" {POD}.containers[1].readinessProbe.tcpSocket",
    ),
]

SCALING = [  # §2.1
    (scaled(**{"class": "x.knative.dev"}), "invalid value: x.knative.dev: class"),
    (scaled(metric="cpu"), "invalid value: cpu: metric"),
    (scaled(target="0"), "target 0 should be at least 0.01: target"),
    (
        scaled(target_utilization_percentage="101"),
        "expected 1 <= 101 <= 100: target-utilization-percentage",
    ),
    (scaled(target_burst_capacity="-2"), "invalid value: -2: target-burst-capacity"),
    (scaled(window="5s"), "expected 6s <= 5s <= 1h0m0s: window"),
    (scaled(window="61m"), "expected 6s <= 61m <= 1h0m0s: window"),
    (
        scaled(window="6500ms"),
        "must be specified with at most second precision: window",
    ),
    (
        scaled(panic_window_percentage="0.5"),
        "expected 1 <= 0.5 <= 100: panic-window-percentage",
    ),
    (
        scaled(panic_threshold_percentage="109"),
        "expected 110 <= 109 <= 1000: panic-threshold-percentage",
    ),
    (scaled(min_scale="-1"), "expected 0 <= -1 <= 2147483647: min-scale"),
    (scaled(min_scale="many"), "invalid value: many: min-scale"),
    (
        scaled(min_scale="2", max_scale="1"),
        "max-scale=1 is less than min-scale=2: max-scale, min-scale",
    ),
    (scaled(initial_scale="-1"), "invalid value: -1: initial-scale must be greater than 0"),
    (scaled(initial_scale="0"), "invalid value: 0: initial-scale=0 not allowed by cluster"),
    (
        scaled(activation_scale="1"),
        "activation-scale=1 must be greater than 1: activation-scale",
    ),
    (
        scaled(activation_scale="3", min_scale="5"),
        "min-scale=5 is greater than activation-scale=3: activation-scale",
    ),
    (
        scaled(activation_scale="3", max_scale="2"),
        "max-scale=2 is less than activation-scale=3: activation-scale",
    ),
    (scaled(scale_down_delay="2h"), "expected 0s <= 2h <= 1h0m0s: scale-down-delay"),
    (
        scaled(scale_down_delay="1500ms"),
        "must be specified with at most second precision: scale-down-delay",
    ),
    (
        scaled(scale_to_zero_pod_retention_period="-1s"),
        "expected 0s <= -1s <= 1h0m0s: scale-to-zero-pod-retention-period",
    ),
    (
        scaled(**{"class": "kpa.autoscaling.knative.dev"}, metric_aggregation_algorithm="x"),
        "invalid value: x: metric-aggregation-algorithm",
    ),
]


@pytest.mark.parametrize(
    ("obj", "text"),
    [*METADATA, *TRAFFIC, *REVISION, *PODS, *CONTAINERS, *VOLUMES, *PROBES],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_the_text_of_a_refusal(obj: Object, text: str) -> None:
    assert refusal(obj) == text


@pytest.mark.parametrize(("obj", "text"), SCALING, ids=lambda value: str(value)[:40])
def test_the_text_about_an_annotation_of_autoscaling(obj: Object, text: str) -> None:
    assert refusal(obj).replace(f"{ANNOTATIONS}.{A}/", "") == text


@pytest.mark.parametrize("field", NEVER)
def test_a_field_that_is_never_accepted(field: str) -> None:
    text = f"must not set the field(s): {POD}.{field}"
    assert refusal(service({field: NEVER[field]})) == text


@pytest.mark.parametrize("field", FLAGGED)
def test_a_flag_opens_its_field_enabled_or_allowed(field: str) -> None:
    flag, value = FLAGGED[field]
    obj = service({field: value})
    assert f"must not set the field(s): {POD}.{field}" in refusal(obj)
    for state in ("Enabled", "Allowed"):
        features = FeaturesConfig({f"kubernetes.podspec-{flag}": state})
        assert refusal(obj, Config(features=features)) == ""


@pytest.mark.parametrize(
    ("config", "obj", "text"),
    [
        (
            Config(defaults=DefaultsConfig(allow_container_concurrency_zero=False)),
            service({"containerConcurrency": 0}),
            f"expected 1 <= 0 <= 1000: {POD}.containerConcurrency",
        ),
        (
            Config(features=FeaturesConfig({"multi-container": "Disabled"})),
            service(
                {"containers": [{**IMAGE, "ports": [{"containerPort": 80}]}, {**IMAGE}]},
            ),
            "multi-container is off, but found 2 containers: ",
        ),
        (
            Config(features=FeaturesConfig({"kubernetes.podspec-volumes-emptydir": "Disabled"})),
            mounted([MOUNTED], {"name": "v", "emptyDir": {}}),
            "EmptyDir volume support is disabled, but found EmptyDir volume v: \n"
            f"must not set the field(s): {POD}.volumes[0].emptyDir",
        ),
        (
            Config(features=FeaturesConfig({"multi-container-probing": "Enabled"})),
            service(
                {
                    "containers": [
                        {**IMAGE, "ports": [{"containerPort": 80}]},
                        {**IMAGE, "livenessProbe": {"httpGet": {}}},
                    ]
                }
            ),
            f"invalid value: 0: {POD}.containers[1].livenessProbe.httpGet.port\n"
            "Probe port must be specified",
        ),
        (
            Config(features=FeaturesConfig({"kubernetes.podspec-init-containers": "Enabled"})),
            service(
                {"initContainers": [{**IMAGE, "livenessProbe": {"tcpSocket": {"port": 1}}}]},
            ),
            f"field not allowed in an init container: {POD}.initContainers[0].livenessProbe",
        ),
        (
            Config(autoscaler=AutoscalerConfig(max_scale=5, max_scale_limit=10)),
            scaled(max_scale="11"),
            f"expected 1 <= 11 <= 10: {ANNOTATIONS}.{A}/max-scale",
        ),
        (
            Config(autoscaler=AutoscalerConfig(max_scale=5, max_scale_limit=10)),
            scaled(max_scale="0"),
            f"max-scale=0 (unlimited), must be less than 10: {ANNOTATIONS}.{A}/max-scale",
        ),
    ],
)
def test_what_the_settings_of_the_cluster_refuse(config: Config, obj: Object, text: str) -> None:
    assert refusal(obj, config) == text


def admitted(obj: Object, old: Object | None = None) -> Object:
    found = admit(obj, old, Config(), "ada")
    assert isinstance(found, Admitted), found
    return found.obj


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({"name": "x"}, 'invalid value: "x" must have prefix "shop-": spec.template.metadata.name'),
        (
            {"name": "shop.v1"},
            f"invalid value: not a DNS 1035 label: [{DNS_1035}]: spec.template.metadata.name",
        ),
    ],
)
def test_a_name_of_ones_own_for_a_revision(meta: Tree, text: str) -> None:
    """§1.8."""
    assert refusal(service(template=meta)) == text


def test_a_generated_parent_cannot_name_its_revision() -> None:
    """§1.8."""
    obj = service(meta={"name": "", "generateName": "shop-"}, template={"name": "shop-v1"})
    assert refusal(obj) == "must not set the field(s): spec.template.metadata.name"


def test_a_named_revision_that_changes_needs_another_name() -> None:
    """§1.8."""
    old = admitted(service(template={"name": "shop-v1"}))
    assert isinstance(old, Service)
    spec = replace(old.spec.template.spec, timeout_seconds=60)
    changed = replace(old, spec=replace(old.spec, template=replace(old.spec.template, spec=spec)))
    assert refusal(changed, old=old) == (
        "Saw the following changes without a name change (-old +new):"
        " spec.template.metadata.name\n"
        '*{*v1.RevisionTemplateSpec}.Spec.TimeoutSeconds:\n\t-: "300"\n\t+: "60"\n'
    )
