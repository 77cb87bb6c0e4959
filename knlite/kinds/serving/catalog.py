"""The kinds of Serving, and those of its internal groups that its reconcilers write.

Source: Knative reference §1.1; knative/serving ``config/core/300-resources`` (short names,
categories, printer columns).
"""

from knlite.kinds.columns import LATEST, READY_COLUMNS, URL, Column, count_of, label, status_of
from knlite.kinds.kindinfo import READ_ONLY, KindInfo
from knlite.kinds.labels import CONFIGURATION, CONFIGURATION_GENERATION
from knlite.kinds.serving import (
    configuration,
    domainclaim,
    domainmapping,
    image,
    ingress,
    metric,
    podautoscaler,
    revision,
    route,
    serverlessservice,
    service,
)

SERVING = "serving.knative.dev"
AUTOSCALING_INTERNAL = "autoscaling.internal.knative.dev"
CACHING_INTERNAL = "caching.internal.knative.dev"
NETWORKING_INTERNAL = "networking.internal.knative.dev"

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=service.Service,
        group=SERVING,
        version="v1",
        plural="services",
        short_names=("kservice", "ksvc"),
        categories=("all", "knative", "serving"),
        columns=(URL, *LATEST, *READY_COLUMNS),
        defaulted=service.defaulted,
        validated=service.validated,
    ),
    KindInfo(
        type=configuration.Configuration,
        group=SERVING,
        version="v1",
        plural="configurations",
        short_names=("config", "cfg"),
        categories=("all", "knative", "serving"),
        columns=(*LATEST, *READY_COLUMNS),
        defaulted=configuration.defaulted,
        validated=configuration.validated,
    ),
    KindInfo(
        type=revision.Revision,
        group=SERVING,
        version="v1",
        plural="revisions",
        short_names=("rev",),
        categories=("all", "knative", "serving"),
        columns=(
            Column("Config Name", label(CONFIGURATION)),
            Column("Generation", label(CONFIGURATION_GENERATION)),
            *READY_COLUMNS,
            Column("Actual Replicas", count_of("actual_replicas")),
            Column("Desired Replicas", count_of("desired_replicas")),
        ),
        defaulted=revision.defaulted,
        validated=revision.validated,
        declared=False,
    ),
    KindInfo(
        type=route.Route,
        group=SERVING,
        version="v1",
        plural="routes",
        short_names=("rt",),
        categories=("all", "knative", "serving"),
        columns=(URL, *READY_COLUMNS),
        defaulted=route.defaulted,
        validated=route.validated,
    ),
    KindInfo(
        type=domainmapping.DomainMapping,
        group=SERVING,
        version="v1beta1",
        plural="domainmappings",
        short_names=("dm",),
        categories=("all", "knative", "serving"),
        columns=(URL, *READY_COLUMNS),
        defaulted=domainmapping.defaulted,
        validated=domainmapping.validated,
    ),
    KindInfo(
        type=podautoscaler.PodAutoscaler,
        group=AUTOSCALING_INTERNAL,
        version="v1alpha1",
        plural="podautoscalers",
        short_names=("kpa", "pa"),
        categories=("knative-internal", "autoscaling"),
        columns=(
            Column("DesiredScale", count_of("desired_scale")),
            Column("ActualScale", count_of("actual_scale")),
            *READY_COLUMNS,
        ),
        declared=False,
    ),
    KindInfo(
        type=image.Image,
        group=CACHING_INTERNAL,
        version="v1alpha1",
        plural="images",
        short_names=("img",),
        categories=("knative-internal", "caching"),
        columns=(
            Column("Image", lambda obj: obj.spec.image),
            Column("Runs As", status_of("runs_as")),
            *READY_COLUMNS,
        ),
        declared=False,
    ),
    KindInfo(
        type=ingress.Ingress,
        group=NETWORKING_INTERNAL,
        version="v1alpha1",
        plural="ingresses",
        short_names=("kingress", "king"),
        categories=("knative-internal", "networking"),
        columns=READY_COLUMNS,
        declared=False,
    ),
    KindInfo(
        type=domainclaim.ClusterDomainClaim,
        group=NETWORKING_INTERNAL,
        version="v1alpha1",
        plural="clusterdomainclaims",
        short_names=("cdc",),
        categories=("knative-internal", "networking"),
        namespaced=False,
        validated=domainclaim.validated,
    ),
    KindInfo(
        type=metric.Metric,
        group=AUTOSCALING_INTERNAL,
        version="v1alpha1",
        plural="metrics",
        categories=("knative-internal", "autoscaling"),
        columns=READY_COLUMNS,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=serverlessservice.ServerlessService,
        group=NETWORKING_INTERNAL,
        version="v1alpha1",
        plural="serverlessservices",
        short_names=("sks",),
        categories=("knative-internal", "networking"),
        columns=(
            Column("Mode", lambda obj: obj.spec.mode),
            Column("Activators", lambda obj: str(obj.spec.num_activators), type="integer"),
            Column("ServiceName", status_of("service_name")),
            Column("PrivateServiceName", status_of("private_service_name")),
            *READY_COLUMNS,
        ),
        declared=False,
        verbs=READ_ONLY,
    ),
)
