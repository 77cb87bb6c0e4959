"""Makes the registry say what a set of files says, and only that.

All documents are tried on a fork of the registry first; if any is refused nothing changes. Then
sinks come before what is bound to them, so that the first revision of a bound service already
knows its ``K_SINK``. An object whose document is gone is deleted.

Source: knlite's own; the order has no meaning on a cluster, where things settle by themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from knlite.clock import Clock
from knlite.errors import Forbidden, KnliteError, NotFound
from knlite.eventing.binding import SUBJECTS, selects
from knlite.facts import Notice, Publish
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.rabbitmqbrokerconfig import RabbitmqBrokerConfig
from knlite.kinds.fielderror import FieldError
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.podspec.security import INSECURE_DEFAULT
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.manifests.declared import Declared
from knlite.manifests.documents import Complaint
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Refused, Registry
from knlite.registry.write import Write

USER = "knlite"
"""In whose name files are applied; the ``creator`` annotation of what they declare."""

_MADE_ANEW = (
    "to have it all the same, take the object out of the files, save, and put it back: it is"
    " deleted, and made anew"
)

_FIRST = (Namespace, ConfigMap, Secret, RabbitmqBrokerConfig)


class Applier:
    """Applies sets of files, one after another, to one registry."""

    def __init__(
        self,
        registry: Registry,
        settle: Callable[[], None],
        clock: Clock,
        publish: Publish,
        *,
        applied: frozenset[Key] = frozenset(),
        remember: Callable[[frozenset[Key]], None] | None = None,
    ) -> None:
        """*settle* runs the reconcilers until nothing is due.

        *applied* is what the files of an earlier run have declared; *remember* is told what those
        of this run do.
        """
        self._registry = registry
        self._settle = settle
        self._clock = clock
        self._publish = publish
        self._applied = applied
        self._remember = remember
        self._places: dict[Key, tuple[str, int]] = {}

    def place_of(self, key: Key) -> tuple[str, int] | None:
        """The file and the line that declare the object at *key*; None if none of this run does."""
        return self._places.get(key)

    def check(self, declared: Sequence[Declared]) -> list[Complaint]:
        """What admission refuses, each with file and line; the registry does not change."""
        fork = self._registry.fork()
        complaints: list[Complaint] = []
        self._require_namespaces(fork, [each.obj for each in declared])
        for each in sorted(declared, key=lambda each: _rank(each.obj)):
            try:
                fork.apply(each.obj, user=USER)
            except Refused as refused:
                for error in refused.errors:
                    path = error.paths[0] if error.paths else ""
                    complaints.append(each.manifest.complaint(_with_way_out(error), path))
            except KnliteError as exc:
                complaints.append(each.manifest.complaint(str(exc)))
        complaints.sort(key=lambda complaint: (complaint.file, complaint.line))
        return complaints

    def apply(self, declared: Sequence[Declared]) -> None:
        """Apply what ``check`` found nothing wrong with."""
        objects = [each.obj for each in declared]
        self._places = {
            key_of(each.obj): (each.manifest.file, each.manifest.line) for each in declared
        }
        for name in self._require_namespaces(self._registry, objects):
            text = (
                f'namespace "{name}" is in no manifest and was made; a cluster wants it made first'
            )
            self._say(text)
        wanted = frozenset(key_of(obj) for obj in objects)
        for key in self._applied - wanted:
            try:
                self._registry.delete(key)
            except (NotFound, Forbidden):
                # Deleted by hand, together with its namespace, or the namespace "default".
                continue
        if wanted != self._applied:
            self._applied = wanted
            if self._remember is not None:
                self._remember(wanted)
        self._settle()
        for group in _ordered(objects):
            for obj in group:
                self._registry.apply(obj, user=USER, write=Write(warn=self._warning_of(obj)))
            self._settle()

    def _require_namespaces(self, registry: Registry, objects: Iterable[Object]) -> list[str]:
        declared = {obj.metadata.name for obj in objects if isinstance(obj, Namespace)}
        needed = sorted({obj.metadata.namespace for obj in objects} - declared - {""})
        made = [name for name in needed if registry.view.get(Namespace, "", name) is None]
        for name in made:
            registry.create(Namespace(metadata=ObjectMeta(name=name)), user=USER)
        return made

    def _warning_of(self, obj: Object) -> Callable[[str], None]:
        def warn(text: str) -> None:
            # Every manifest that says nothing of security has those of a cluster's defaults.
            if not text.startswith(INSECURE_DEFAULT):
                self._say(f"{key_of(obj)}: {text}", "warning")

        return warn

    def _say(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        self._publish(Notice(at=self._clock.wall(), level=level, text=text))


def _with_way_out(error: FieldError) -> str:
    """What a webhook says, and for what can never be changed how it is changed all the same."""
    text = str(error)
    return f"{text.rstrip()}\n{_MADE_ANEW}" if "mmutable" in error.message else text


def _rank(obj: Object) -> int:
    if isinstance(obj, _FIRST):
        return _FIRST.index(type(obj))
    return len(_FIRST)


def _ordered(objects: Sequence[Object]) -> list[list[Object]]:
    """Groups to apply one after another: configuration, sinks, bindings, what they bind."""
    first: list[Object] = sorted((o for o in objects if isinstance(o, _FIRST)), key=_rank)
    bindings = [obj for obj in objects if isinstance(obj, SinkBinding)]
    brokers = [obj for obj in objects if isinstance(obj, Broker)]
    rest = [obj for obj in objects if not isinstance(obj, (*_FIRST, SinkBinding, Broker))]
    sinks_of = {
        key_of(obj): {
            *(
                _sink(binding)
                for binding in bindings
                if isinstance(obj, SUBJECTS) and selects(binding, obj)
            ),
            # Its first pod would otherwise not know where to send events.
            *([_sink(obj)] if isinstance(obj, ContainerSource) else []),
        }
        for obj in rest
    }
    unbound = [obj for obj in rest if not sinks_of[key_of(obj)]]
    groups: list[list[Object]] = [first, list(brokers), unbound, list(bindings)]
    waiting = {key_of(obj): obj for obj in rest if sinks_of[key_of(obj)]}
    while waiting:
        unmet = {(key.kind.__name__, key.namespace, key.name) for key in waiting}
        met = [key for key in waiting if not sinks_of[key] & unmet]
        # Services that are bound in a circle get their sinks in a second revision.
        groups.append([waiting.pop(key) for key in met or tuple(waiting)])
    return [group for group in groups if group]


def _sink(binding: SinkBinding | ContainerSource) -> tuple[str, str, str]:
    ref = binding.spec.sink.ref
    if ref is None:
        return ("", "", "")
    return (ref.kind, ref.namespace or binding.metadata.namespace, ref.name)
