"""The template of pods that Deployments, Jobs and ContainerSources make.

Knative's own templates accept less and say more (``serving/revision.py``, ``podspec/``).

Source: Kubernetes core/v1 PodTemplateSpec; ``pkg/apis/core/validation`` (what manifests run into).
"""

from collections.abc import Iterator, Sequence

import msgspec

from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing, under
from knlite.kinds.meta import Fields, ObjectMeta
from knlite.kinds.names import label_value_problems, qualified_name_problems
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.podspec.problems import pod_problems
from knlite.kinds.podspec.validation import resources_errors


class PodTemplate(Fields):
    """What the pods will look like."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


def template_defaulted(template: PodTemplate, restart_policy: str) -> PodTemplate:
    """*template* with *restart_policy* where it says none."""
    spec = msgspec.structs.replace(
        template.spec, restart_policy=template.spec.restart_policy or restart_policy
    )
    return msgspec.structs.replace(template, spec=spec)


def template_errors(template: PodTemplate, restart_policies: Sequence[str]) -> Errors:
    """What is wrong with *template*; paths begin below it."""
    policy = template.spec.restart_policy
    errors: list[FieldError] = [*under("metadata.labels", _label_errors(template.metadata))]
    if policy not in restart_policies:
        known = ", ".join(f'"{each}"' for each in restart_policies)
        text = f'Unsupported value: "{policy}": supported values: {known}'
        errors.append(generic(text, "spec.restartPolicy"))
    errors.extend(under("spec", pod_errors(template.spec)))
    return tuple(errors)


def pod_errors(spec: PodSpec) -> Errors:
    """What is wrong with a pod's *spec*; paths begin below it."""
    errors: list[FieldError] = []
    if not spec.containers:
        errors.append(missing("containers"))
    volumes = {volume.name for volume in spec.volumes}
    taken: set[str] = set()
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers):
            found = _container_errors(container, volumes, taken)
            errors.extend(under(f"{field}[{index}]", found))
            taken.add(container.name)
    # What else Kubernetes would refuse says itself where that is.
    errors.extend(generic(text.removeprefix("spec.")) for text in pod_problems(spec))
    return tuple(errors)


def _container_errors(
    container: Container, volumes: set[str], taken: set[str]
) -> Iterator[FieldError]:
    if not container.name:
        yield missing("name")
    elif container.name in taken:
        yield invalid(container.name, "name", "Duplicate value")
    if not container.image:
        yield missing("image")
    for index, mount in enumerate(container.volume_mounts):
        if mount.name not in volumes:
            yield generic(f'Not found: "{mount.name}"', f"volumeMounts[{index}].name")
        if not mount.mount_path:
            yield missing(f"volumeMounts[{index}].mountPath")
    for index, port in enumerate(container.ports):
        if not 1 <= port.container_port <= 65535:
            text = "must be between 1 and 65535, inclusive"
            yield invalid(port.container_port, f"ports[{index}].containerPort", text)
    yield from under("resources", resources_errors(container.resources))


def _label_errors(meta: ObjectMeta) -> Iterator[FieldError]:
    for key, value in meta.labels.items():
        for problem in qualified_name_problems(key):
            yield invalid(key, "", problem)
        for problem in label_value_problems(value):
            yield invalid(value, f"[{key}]", problem)
