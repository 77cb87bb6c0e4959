"""What happens to an object before it is stored: mutated, defaulted, validated, or refused.

Source: Knative's webhooks; Knative reference §0.2, §2.2 (``config-*`` ConfigMaps).
Not here: the rules themselves (``kinds/admission.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from knlite.errors import InvalidInput, NotFound
from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.fielderror import Errors, generic, merged, rendered
from knlite.kinds.meta import Object
from knlite.kinds.webhooks import SETTINGS
from knlite.reconcile import Key, View, key_of
from knlite.registry.configmaps import Overrides, is_config, read_config
from knlite.registry.deletion import require_open
from knlite.registry.store import Store
from knlite.registry.write import Write

Mutator = Callable[[Object, View], Object]
"""A mutating webhook: the object about to be stored, to what will be stored instead."""


Validator = Callable[[Object, Object | None, View], Errors]
"""A validating webhook that looks at other objects: the object about to be stored, and the stored
one or None, to what is wrong."""


class Refused(InvalidInput):
    """An object that admission denies; ``errors`` holds every reason."""

    def __init__(self, key: Key, errors: Errors) -> None:
        super().__init__(f"{key} is not valid", cause=rendered(errors))
        self.key = key
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Admits what shall be in *store*."""

    store: Store
    overrides: Overrides = field(repr=False)
    external_port: int
    external_tls_port: int
    durable: bool
    mutators: tuple[Mutator, ...]
    validators: tuple[Validator, ...]

    def admit(self, obj: Object, old: Object | None, user: str, write: Write) -> Object:
        """*obj* as it will be stored; *write* is told of warnings. Raises ``Refused``."""
        for mutate in self.mutators:
            obj = mutate(obj, self.store)
        match admit(obj, old, self.store.config, user, dry_run=write.dry_run):
            case Denied(errors):
                raise Refused(key_of(obj), errors)
            case Admitted() as admitted:
                self._validate(admitted.obj, old)
                self._check_config(admitted.obj)
                for warning in admitted.warnings:
                    write.warn(str(warning))
                return admitted.obj

    def config(self, changed: ConfigMap | None = None) -> Config:
        """What the stored ConfigMaps say, with *changed* among them. Raises ``ConfigInvalid``."""
        maps = {key_of(each): each for each in self.store.listed(ConfigMap, "")}
        if changed is not None:
            maps[key_of(changed)] = changed
        return read_config(
            maps.values(),
            self.overrides,
            self.external_port,
            self.external_tls_port,
            durable=self.durable,
        )

    def require_namespace(self, obj: Object) -> None:
        """Refuse *obj* if its namespace is not there (``NotFound``) or going (``Forbidden``)."""
        name = obj.metadata.namespace
        if not name:
            return
        namespace = self.store.get(Namespace, "", name)
        if namespace is None:
            raise NotFound(f'namespaces "{name}" not found')
        require_open(obj, namespace)

    def _validate(self, obj: Object, old: Object | None) -> None:
        errors = merged(each for check in self.validators for each in check(obj, old, self.store))
        if errors:
            raise Refused(key_of(obj), errors)

    def _check_config(self, obj: Object) -> None:
        """Refuse a ``config-*`` ConfigMap that would not parse, as Knative's webhook does."""
        if isinstance(obj, ConfigMap) and is_config(obj):
            try:
                self.config(obj)
            except ConfigInvalid as exc:
                raise Refused(key_of(obj), (generic(exc.text, SETTINGS),)) from exc
