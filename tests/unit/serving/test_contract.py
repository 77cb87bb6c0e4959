"""What an instance is told (Knative reference §4.1, §4.2)."""

from base64 import b64encode

import pytest

from knlite.errors import InstanceFailed
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import (
    Capabilities,
    Container,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    KeySelector,
    ObjectSelector,
    Resources,
    SecurityContext,
)
from knlite.kinds.serving.revision import Revision, RevisionSpec
from knlite.serving.container import Limits
from knlite.serving.contract import Contract, contract, fs_group, identity_of, told_to
from knlite.serving.environment import expanded
from knlite.serving.vantage import ByHost, ByPath, Vantage
from tests.unit.fake_view import FakeView

LABELS = {"serving.knative.dev/service": "web", "serving.knative.dev/configuration": "web"}
PATHS = ByPath("http://127.0.0.1:8080")


def made(container: Container, *objects: ConfigMap | Secret, vantage: Vantage = PATHS) -> Contract:
    meta = ObjectMeta(name="web-00001", namespace="default", labels=LABELS)
    revision = Revision(metadata=meta, spec=RevisionSpec(containers=(container,)))
    identity = identity_of(revision, "web-00001-deployment-abc")
    told = told_to(revision, container)
    return contract(revision.spec, container, identity, FakeView(*objects), vantage, told)


def config_map(**data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="c", namespace="default"), data=data)


def secret(**data: str) -> Secret:
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    return Secret(metadata=ObjectMeta(name="s", namespace="default"), data=encoded)


def from_config(key: str, *, optional: bool | None = None) -> EnvVar:
    source = EnvVarSource(config_map_key_ref=KeySelector(name="c", key=key, optional=optional))
    return EnvVar(name="X", value_from=source)


def test_the_names_of_the_contract_win_over_the_authors() -> None:
    env = made(Container(env=(EnvVar(name="K_SERVICE", value="mine"),))).env
    assert (env["K_SERVICE"], env["K_CONFIGURATION"], env["K_REVISION"]) == (
        "web",
        "web",
        "web-00001",
    )


@pytest.mark.parametrize(
    ("vantage", "sink"),
    [
        (PATHS, "http://127.0.0.1:8080/ns/default/services/process"),
        (ByHost(8080), "http://process.default.svc.cluster.local:8080"),
        (ByHost(80), "http://process.default.svc.cluster.local"),
    ],
)
def test_the_sink_is_written_as_the_instance_reaches_it(vantage: Vantage, sink: str) -> None:
    url = "http://process.default.svc.cluster.local"
    env = made(Container(env=(EnvVar(name="K_SINK", value=url),)), vantage=vantage).env
    assert env["K_SINK"] == sink


def test_variables_refer_to_earlier_ones() -> None:
    env = made(
        Container(
            env=(
                EnvVar(name="A", value="1"),
                EnvVar(name="B", value="$(A)2 $(LATER) $$(A)"),
                EnvVar(name="LATER", value="x"),
            )
        )
    ).env
    assert env["B"] == "12 $(LATER) $(A)"


@pytest.mark.parametrize(
    ("text", "result"), [("$(A)", "1"), ("$$", "$"), ("$(NO)", "$(NO)"), ("$A", "$A"), ("$(", "$(")]
)
def test_expansion_as_in_kubernetes(text: str, result: str) -> None:
    assert expanded(text, {"A": "1"}) == result


def test_whole_config_maps_and_secrets_come_before_single_variables() -> None:
    container = Container(
        env_from=(
            EnvFromSource(prefix="P_", config_map_ref=ObjectSelector(name="c")),
            EnvFromSource(secret_ref=ObjectSelector(name="s")),
        ),
        env=(EnvVar(name="B", value="own"),),
    )
    env = made(container, config_map(A="1"), secret(B="hidden", C="2")).env
    assert (env["P_A"], env["B"], env["C"]) == ("1", "own", "2")


def test_one_key_of_a_config_map() -> None:
    assert made(Container(env=(from_config("k"),)), config_map(k="v")).env["X"] == "v"
    assert "X" not in made(Container(env=(from_config("k", optional=True),))).env


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ((), 'configmap "c" not found'),
        ((config_map(other="v"),), "couldn't find key k in ConfigMap default/c"),
    ],
)
def test_what_is_missing_is_named(objects: tuple[ConfigMap, ...], message: str) -> None:
    with pytest.raises(InstanceFailed) as failed:
        made(Container(env=(from_config("k"),)), *objects)
    assert failed.value.reason == "CreateContainerConfigError"
    assert failed.value.what == message


def test_an_init_container_is_not_told_the_names_of_the_contract() -> None:
    first = Container(name="first", env=(EnvVar(name="A", value="1"),))
    spec = RevisionSpec(containers=(Container(name="web"),), init_containers=(first,))
    revision = Revision(metadata=ObjectMeta(name="web-00001", labels=LABELS), spec=spec)
    identity, told = identity_of(revision, "i"), told_to(revision, first)
    found = contract(revision.spec, first, identity, FakeView(), PATHS, told)
    assert dict(found.env) == {"A": "1"}


def test_resources_are_numbers() -> None:
    resources = Resources(requests={"cpu": ".125"}, limits={"cpu": "250m", "memory": "64Mi"})
    found = made(Container(resources=resources))
    assert found.limits == Limits(cpus=0.25, memory=64 * 1024 * 1024, cpu_request=0.125)
    assert made(Container()).limits == Limits()


def test_a_container_says_more_than_its_pod() -> None:
    own = SecurityContext(run_as_user=7, capabilities=Capabilities(drop=("ALL",)))
    of_pod = {"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4]}
    spec = RevisionSpec(containers=(Container(security_context=own),), security_context=of_pod)
    revision = Revision(metadata=ObjectMeta(name="web-00001", labels=LABELS), spec=spec)
    identity = identity_of(revision, "i")
    found = contract(spec, spec.containers[0], identity, FakeView(), PATHS, {}).security
    assert (found.user, found.group, found.supplemental_groups) == (7, 2, (4, 3))
    assert found.drop == ("ALL",)
    assert fs_group(spec) == 3


def test_last_words_come_from_the_log_unless_the_manifest_says_file() -> None:
    assert made(Container()).termination_from_log
    assert not made(Container(termination_message_policy="File")).termination_from_log
    assert made(Container(termination_message_path="/why")).termination_path == "/why"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-00001-deployment-abc"),
        ("metadata.namespace", "default"),
        ("metadata.labels['serving.knative.dev/service']", "web"),
        ("spec.serviceAccountName", "default"),
    ],
)
def test_an_instance_is_told_about_itself(path: str, value: str) -> None:
    source = EnvVarSource(field_ref={"fieldPath": path})
    assert made(Container(env=(EnvVar(name="X", value_from=source),))).env["X"] == value


def test_what_is_not_known_before_the_start_is_refused() -> None:
    source = EnvVarSource(field_ref={"fieldPath": "status.podIP"})
    with pytest.raises(InstanceFailed, match=r"status\.podIP") as failed:
        made(Container(env=(EnvVar(name="X", value_from=source),)))
    assert failed.value.reason == "UnsupportedPod"


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.memory", "1Mi", "64"),
        ("limits.memory", "", "67108864"),
        ("limits.cpu", "", "1"),
        ("limits.cpu", "1m", "250"),
        ("requests.cpu", "1m", "250"),
    ],
)
def test_resources_are_told_in_whole_divisors(resource: str, divisor: str, value: str) -> None:
    source = EnvVarSource(resource_field_ref={"resource": resource, "divisor": divisor})
    limits = Resources(limits={"cpu": "250m", "memory": "64Mi"})
    container = Container(resources=limits, env=(EnvVar(name="X", value_from=source),))
    assert made(container).env["X"] == value
