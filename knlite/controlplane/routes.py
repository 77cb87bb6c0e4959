"""What the routing table is made of, kept up to date by every change.

So a table costs the number of its hosts, not that of all objects, and is made only when a change
can show in it.

Not here: what is in a table (``serving/routingtable.py``), who gets it (``projector.py``).
"""

from collections.abc import Iterator

from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import Object
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.ingress import Ingress
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.registry.registry import Notification, Registry
from knlite.serving.domains import DomainError, is_local, public_host
from knlite.serving.instance import RevisionName
from knlite.serving.routing import RoutingTable
from knlite.serving.routingtable import Hosting, hosting, table_of

_Name = tuple[str, str]
"""Namespace and name."""


class Routes:
    """Reads one registry, of which it must be told every change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._hostings: dict[_Name, Hosting] = {}
        """What each Ingress comes to."""
        self._bare: set[_Name] = set()
        """Routes without an Ingress."""
        self._secured: set[_Name] = set()
        """Ingresses that want certificates."""
        self._untold: set[_Name] = set()
        """Ingresses that do not know yet what became of them."""
        self._revisions: set[RevisionName] = set()

    def begin(self) -> None:
        """Look at what is there already."""
        kinds: tuple[type[Object], ...] = (Ingress, Route, Revision)
        for kind in kinds:
            for obj in self._registry.view.listed(kind, ""):
                self.note(Notification("added", obj, None))

    def note(self, notification: Notification) -> bool:
        """Whether a table that is made after this change may be another one."""
        obj, old = notification.obj, notification.old
        gone, modified = notification.change == "deleted", notification.change == "modified"
        name = (obj.metadata.namespace, obj.metadata.name)
        match obj:
            case Ingress() if gone:
                self._forget(name)
                return True
            case Ingress():
                if isinstance(old, Ingress) and old.spec == obj.spec:
                    return False
                self._learn(name, obj)
                return True
            case Route():
                return self._note_route(name, gone)
            case Revision() if not modified:
                change = self._revisions.discard if gone else self._revisions.add
                change(RevisionName(*name))
                return True
            case Configuration():
                return bool(self._bare) and not (
                    isinstance(old, Configuration) and not gone and _newest(old) == _newest(obj)
                )
            case Secret():
                return self._is_named(name)
            case Broker():
                return not modified
            case _:
                return False

    def secured(self) -> Iterator[Ingress]:
        """The Ingresses that want certificates, by namespace and name."""
        return self._ingresses(self._secured)

    def told(self) -> Iterator[Ingress]:
        """The Ingresses of whose state something may be new: they are told now."""
        names, self._untold = self._untold | self._secured, set()
        return self._ingresses(names)

    def table(self) -> RoutingTable:
        """The table now."""
        view = self._registry.view
        newest: dict[_Name, RevisionName] = {}
        hosts: dict[_Name, tuple[str, ...]] = {}
        for name in sorted(self._bare):
            route = view.get(Route, *name)
            revision = None if route is None else self._revision_of(route)
            if route is not None and revision is not None:
                newest[name] = revision
                hosts[name] = self._hosts(route)
        brokers = (
            (broker.metadata.namespace, broker.metadata.name) for broker in view.listed(Broker, "")
        )
        # Where two want the same host, their order decides.
        hostings = (self._hostings[name] for name in sorted(self._hostings))
        return table_of(hostings, newest, hosts, brokers, frozenset(self._revisions))

    def _learn(self, name: _Name, ingress: Ingress) -> None:
        self._hostings[name] = hosting(ingress)
        self._untold.add(name)
        self._bare.discard(name)
        if ingress.spec.tls:
            self._secured.add(name)
        else:
            self._secured.discard(name)

    def _forget(self, name: _Name) -> None:
        self._hostings.pop(name, None)
        self._untold.discard(name)
        self._secured.discard(name)
        if self._registry.view.get(Route, *name) is not None:
            self._bare.add(name)

    def _note_route(self, name: _Name, gone: bool) -> bool:
        was_bare = name in self._bare
        if gone or name in self._hostings:
            self._bare.discard(name)
            return was_bare
        self._bare.add(name)
        return True

    def _is_named(self, secret: _Name) -> bool:
        """Whether an Ingress has its certificate there."""
        return any(
            (tls.secret_namespace or ingress.metadata.namespace, tls.secret_name) == secret
            for ingress in self.secured()
            for tls in ingress.spec.tls
        )

    def _ingresses(self, names: set[_Name]) -> Iterator[Ingress]:
        for name in sorted(names):
            ingress = self._registry.view.get(Ingress, *name)
            if ingress is not None:
                yield ingress

    def _revision_of(self, route: Route) -> RevisionName | None:
        """The newest revision of what *route* names first."""
        namespace = route.metadata.namespace
        for target in route.spec.traffic:
            found = self._registry.view.get(Configuration, namespace, target.configuration_name)
            if found is not None and _newest(found):
                return RevisionName(namespace, _newest(found))
        return None

    def _hosts(self, route: Route) -> tuple[str, ...]:
        """The public ones."""
        config = self._registry.config
        try:
            return () if is_local(route, config) else (public_host(route, "", config),)
        except DomainError:
            return ()


def _newest(configuration: Configuration) -> str:
    return configuration.status.latest_created_revision_name
