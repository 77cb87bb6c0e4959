"""What the volumes of an instance hold: its ConfigMaps, Secrets, token and facts, as files.

Source: Kubernetes core/v1 Volume; kubernetes pkg/volume/{configmap,secret,projected,downwardapi}
(which keys, which modes, what is missing); Knative reference §1.6, §4.4.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from posixpath import isabs

import msgspec

from knlite.errors import InstanceFailed
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim, volume_of
from knlite.kinds.podspec.fields import Container, KeyToPath, PodSpec, Volume
from knlite.kinds.podspec.projected import DownwardFile, Projection, read_projected
from knlite.kinds.quantities import parse as parse_quantity
from knlite.reconcile import View
from knlite.serving import entries
from knlite.serving.downward import Identity, field_value, resource_value
from knlite.serving.volume import Claimed, EmptyDir, File, FileVolume, VolumeContent

DEFAULT_MODE = 0o644

Token = Callable[[str], str]
"""Makes the service account's token for an audience."""


def contents(
    spec: PodSpec, identity: Identity, view: View, token: Token
) -> Mapping[str, VolumeContent]:
    """What each mounted volume of *spec* holds, by name.

    Raises ``InstanceFailed``: ``FailedMount`` where something is missing that is not optional.
    """
    reader = _Reader(spec, identity, view, token)
    containers = (*spec.init_containers, *spec.containers)
    mounted = {mount.name for each in containers for mount in each.volume_mounts}
    return {
        volume.name: reader.content(volume) for volume in spec.volumes if volume.name in mounted
    }


def sources(spec: PodSpec) -> frozenset[tuple[str, str]]:
    """(kind, name) of the ConfigMaps, Secrets and claims behind volumes and variables."""
    found: set[tuple[str, str]] = set()
    for volume in spec.volumes:
        if volume.config_map is not None:
            found.add(("ConfigMap", volume.config_map.name))
        if volume.secret is not None:
            found.add(("Secret", volume.secret.secret_name))
        if volume.persistent_volume_claim is not None:
            found.add(("PersistentVolumeClaim", _claim_of(volume)))
        for projection in _projections(volume):
            if projection.config_map is not None:
                found.add(("ConfigMap", projection.config_map.name))
            if projection.secret is not None:
                found.add(("Secret", projection.secret.name))
    for container in (*spec.init_containers, *spec.containers):
        found |= _of_environment(container)
    return frozenset(found)


def _claim_of(volume: Volume) -> str:
    source = volume.persistent_volume_claim
    return str(source.get("claimName") or "") if isinstance(source, Mapping) else ""


def _of_environment(container: Container) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for whole in container.env_from:
        if whole.config_map_ref is not None:
            found.add(("ConfigMap", whole.config_map_ref.name))
        if whole.secret_ref is not None:
            found.add(("Secret", whole.secret_ref.name))
    for variable in container.env:
        source = variable.value_from
        if source is not None and source.config_map_key_ref is not None:
            found.add(("ConfigMap", source.config_map_key_ref.name))
        if source is not None and source.secret_key_ref is not None:
            found.add(("Secret", source.secret_key_ref.name))
    return found


def _projections(volume: Volume) -> Sequence[Projection]:
    if volume.projected is None:
        return ()
    try:
        return read_projected(volume.projected).sources
    except msgspec.ValidationError:
        return ()


class _Reader:
    """Reads the volumes of one instance."""

    def __init__(self, spec: PodSpec, identity: Identity, view: View, token: Token) -> None:
        self._containers = spec.containers
        self._identity = identity
        self._view = view
        self._token = token

    def content(self, volume: Volume) -> VolumeContent:
        if volume.empty_dir is not None:
            source = volume.empty_dir
            limit = None if source.size_limit is None else int(parse_quantity(source.size_limit))
            return EmptyDir(in_memory=source.medium == "Memory", size_limit=limit)
        if volume.config_map is not None:
            of = volume.config_map
            found = self._config_map(volume, of.name, of.items, optional=of.optional)
            return FileVolume(_files(volume, found, of.items, of.default_mode))
        if volume.secret is not None:
            kept = volume.secret
            found = self._secret(volume, kept.secret_name, kept.items, optional=kept.optional)
            return FileVolume(_files(volume, found, kept.items, kept.default_mode))
        if volume.projected is not None:
            return FileVolume(self._projected(volume))
        if volume.persistent_volume_claim is not None:
            return self._claimed(_claim_of(volume))
        raise InstanceFailed(
            "UnsupportedPod",
            f"the volume {volume.name} has a source that this machine does not have",
            fix="use a configMap, a secret, a projected volume or an emptyDir here",
        )

    def _claimed(self, name: str) -> Claimed:
        namespace = self._identity.namespace
        if self._view.get(PersistentVolumeClaim, namespace, name) is None:
            raise InstanceFailed(
                "Unschedulable",
                f'0/1 nodes are available: persistentvolumeclaim "{name}" not found.',
                fix=f"add the PersistentVolumeClaim {name} to the manifests",
            )
        return Claimed(volume_of(namespace, name), f"{namespace}/{name}")

    def _projected(self, volume: Volume) -> Mapping[str, File]:
        try:
            projected = read_projected(volume.projected)
        except msgspec.ValidationError as exc:
            raise _failed(volume, f"the projected volume cannot be read: {exc}") from exc
        files: dict[str, File] = {}
        for source in projected.sources:
            files.update(self._source(volume, source, projected.default_mode))
        return files

    def _source(
        self, volume: Volume, source: Projection, default_mode: int | None
    ) -> Mapping[str, File]:
        if source.config_map is not None:
            of = source.config_map
            found = self._config_map(volume, of.name, of.items, optional=of.optional)
            return _files(volume, found, of.items, default_mode)
        if source.secret is not None:
            of = source.secret
            found = self._secret(volume, of.name, of.items, optional=of.optional)
            return _files(volume, found, of.items, default_mode)
        mode = _mode(None, default_mode)
        if source.service_account_token is not None:
            asked = source.service_account_token
            path = _checked(volume, asked.path)
            return {path: File(self._token(asked.audience).encode(), mode)}
        if source.downward_api is not None:
            return {
                _checked(volume, item.path): File(
                    self._fact(item).encode(), _mode(item.mode, default_mode)
                )
                for item in source.downward_api.items
            }
        return {}

    def _fact(self, item: DownwardFile) -> str:
        if item.field_ref is not None:
            return field_value(item.field_ref, self._identity)
        return resource_value(item.resource_field_ref, self._containers, "")

    def _config_map(
        self, volume: Volume, name: str, items: Iterable[KeyToPath], *, optional: bool | None
    ) -> Mapping[str, bytes]:
        found = entries.config_map(name, self._identity.namespace, self._view)
        return _present(volume, "configmap", name, found, items, optional=bool(optional))

    def _secret(
        self, volume: Volume, name: str, items: Iterable[KeyToPath], *, optional: bool | None
    ) -> Mapping[str, bytes]:
        found = entries.secret(name, self._identity.namespace, self._view)
        return _present(volume, "secret", name, found, items, optional=bool(optional))


def _present(
    volume: Volume,
    kind: str,
    name: str,
    found: Mapping[str, bytes] | None,
    items: Iterable[KeyToPath],
    *,
    optional: bool,
) -> Mapping[str, bytes]:
    """*found*, or nothing at all where that is allowed."""
    if found is None:
        if not optional:
            raise _failed(volume, f'{kind} "{name}" not found')
        return {}
    absent = [item.key for item in items if item.key not in found]
    if absent and not optional:
        raise _failed(volume, f"{kind} references non-existent config key: {absent[0]}")
    return found


def _files(
    volume: Volume,
    found: Mapping[str, bytes],
    items: Sequence[KeyToPath],
    default_mode: int | None,
) -> Mapping[str, File]:
    if not items:
        mode = _mode(None, default_mode)
        return {key: File(content, mode) for key, content in found.items()}
    return {
        _checked(volume, item.path): File(found[item.key], _mode(item.mode, default_mode))
        for item in items
        if item.key in found
    }


def _mode(own: int | None, default: int | None) -> int:
    mode = own if own is not None else default if default is not None else DEFAULT_MODE
    return mode & 0o777


def _checked(volume: Volume, path: str) -> str:
    """*path* without what Kubernetes' own validation would have refused."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or isabs(path) or parts[0].startswith("..") or ".." in parts or "\0" in path:
        raise _failed(volume, f"{path!r} must be a relative path without '..'")
    return "/".join(parts)


def _failed(volume: Volume, why: str) -> InstanceFailed:
    return InstanceFailed(
        "FailedMount",
        f'MountVolume.SetUp failed for volume "{volume.name}" : {why}',
        fix="add it to the manifests, or mark it optional",
    )
