"""The fields of ``func.yaml``, specVersion 0.36.0, as frozen values.

Fields that are None where Go has a pointer tell "not there" from "empty". The order of the fields
is the one in which ``func`` writes them.

Source: Knative Functions reference §4.1; knative/func schema/func_yaml-schema.json.
Not here: reading and writing the file (``funcyaml.py``), older layouts (``funcmigrations.py``),
what may stand in the fields (``funcproblems.py``).
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.durations import parse_go
from knlite.kinds.meta import Fields

SPEC_VERSION = "0.36.0"
LIVENESS, READINESS = "/health/liveness", "/health/readiness"
_ACTUATOR = "/actuator/health"
"""What springboot answers on."""
LOCAL_REGISTRY = "knlite.local"
"""In the names of images that nobody pushes anywhere."""
START_TIMEOUT = 60.0
"""Seconds."""


class Env(Fields):
    """A variable; without a name, all keys of a Secret or ConfigMap that *value* refers to."""

    name: str | None = None
    value: str | None = None


class Label(Fields):
    """A label of the Service."""

    key: str | None = None
    value: str | None = None


class PersistentVolumeClaim(Fields):
    """A claim that a volume comes from."""

    claim_name: str | None = None
    read_only: bool = False


class EmptyDir(Fields):
    """A volume that begins empty."""

    medium: str = ""
    size_limit: str | None = None


class Volume(Fields):
    """A volume of the function's container; exactly one of its sources is there."""

    secret: str | None = None
    config_map: str | None = None
    persistent_volume_claim: PersistentVolumeClaim | None = None
    empty_dir: EmptyDir | None = None
    path: str | None = None


class Git(Fields):
    """Where a build on a cluster gets the source."""

    url: str = ""
    revision: str = ""
    context_dir: str = ""


class Mount(Fields):
    """A folder of this machine that a build sees."""

    host_path: str = ""
    path: str = ""


class Build(Fields):
    """``build``."""

    git: Git = Git()
    builder_images: Mapping[str, str] = msgspec.field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    builder: str = ""
    build_envs: tuple[Env, ...] = ()
    pvc_size: str = ""
    remote_storage_class: str = ""
    base_image: str = ""
    volumes: tuple[Mount, ...] = ()


class Kafka(Fields):
    """``run.kafka``: a Go function that reads events from a topic."""

    brokers: str = ""
    topic: str = ""
    consumer_group: str = ""


class Run(Fields):
    """``run``."""

    volumes: tuple[Volume, ...] = ()
    envs: tuple[Env, ...] = ()
    start_timeout: str = ""
    """A Go duration."""
    kafka: Kafka | None = None


class Scale(Fields):
    """``deploy.options.scale``."""

    min: int | None = None
    max: int | None = None
    metric: str | None = None
    target: float | None = None
    utilization: float | None = None


class Requests(Fields):
    """``deploy.options.resources.requests``."""

    cpu: str | None = None
    memory: str | None = None


class Limits(Fields):
    """``deploy.options.resources.limits``; *concurrency* is the Service's containerConcurrency."""

    cpu: str | None = None
    memory: str | None = None
    concurrency: int | None = None


class Resources(Fields):
    """``deploy.options.resources``."""

    requests: Requests | None = None
    limits: Limits | None = None


class Options(Fields):
    """``deploy.options``."""

    scale: Scale | None = None
    resources: Resources | None = None


class HealthEndpoints(Fields):
    """``deploy.healthEndpoints``: paths."""

    liveness: str = ""
    readiness: str = ""


class Subscription(Fields):
    """Events of the Broker *source* that the function wants."""

    source: str = ""
    filters: Mapping[str, str] = msgspec.field(default_factory=dict)


class Deploy(Fields):
    """``deploy``; *namespace*, *image* and *deployer* are what *is* deployed."""

    namespace: str = ""
    image: str = ""
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    options: Options = Options()
    labels: tuple[Label, ...] = ()
    health_endpoints: HealthEndpoints = HealthEndpoints()
    service_account_name: str = ""
    image_pull_secret: str = ""
    deployer: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    management_disabled: bool = False


class FuncYaml(Fields):
    """A whole ``func.yaml``; changed copies are made with ``msgspec.structs.replace``."""

    spec_version: str = ""
    name: str = ""
    domain: str = ""
    runtime: str = ""
    registry: str = ""
    registry_insecure: bool = False
    image: str = ""
    namespace: str = ""
    """Where to deploy next."""
    deployer: str = ""
    created: str = ""
    """When it was created, in RFC 3339; empty if it never was."""
    invoke: str = ""
    build: Build = Build()
    run: Run = Run()
    deploy: Deploy = Deploy()

    @property
    def full_image(self) -> str:
        """``image``, else ``REGISTRY/NAME:latest``; empty if there is neither."""
        if self.image or not self.registry:
            return self.image
        return f"{self.registry.strip('/')}/{self.name}:latest"

    @property
    def image_here(self) -> str:
        """``full_image``, else the name of one that stays on this machine."""
        return self.full_image or f"{LOCAL_REGISTRY}/{self.name}:latest"

    @property
    def health(self) -> tuple[str, str]:
        """The paths that say whether it lives and whether it is ready."""
        given = self.deploy.health_endpoints
        usual = (_ACTUATOR, _ACTUATOR) if self.runtime == "springboot" else (LIVENESS, READINESS)
        return given.liveness or usual[0], given.readiness or usual[1]

    @property
    def start_seconds(self) -> float:
        """``run.startTimeout`` in seconds."""
        text = self.run.start_timeout
        # Go's decoder takes a bare number for nanoseconds.
        seconds = parse_go(f"{text}ns" if text.isdecimal() else text) if text else 0.0
        return seconds or START_TIMEOUT
