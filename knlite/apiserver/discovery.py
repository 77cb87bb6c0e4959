"""Discovery: which kinds there are, in the four forms in which clients ask for them.

``/api`` and ``/apis`` answer all at once in the aggregated form (kubectl since 1.27) or list groups
and versions, which the classic form describes one by one.

Source: Kubernetes meta/v1 APIGroupList and APIResourceList, apidiscovery v2 and v2beta1;
``metadata.name`` is empty for the core group.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from knlite.apiserver import reviews, scale, tokens
from knlite.kinds.catalog import SERVED
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.kindinfo import KindInfo, group_version

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES = {"alpha": 0, "beta": 1, None: 2}
_OWN = ("get", "patch", "update")
"""What a subresource offers at most."""


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of an object with a path of its own. *kind* as (group, version, kind)."""

    name: str
    kind: tuple[str, str, str]
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One line of discovery: a kind that is served."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()


@cache
def resources() -> Sequence[Resource]:
    """Everything that is served, kinds of the catalog first."""
    asked = (_review(*name, kind) for name, kind in reviews.KINDS.items())
    return (*map(_served, SERVED), *asked)


def legacy_versions() -> dict[str, Any]:
    """``/api`` in the classic form."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list() -> dict[str, Any]:
    """``/apis`` in the classic form."""
    groups = [_group(name) for name in _groups() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str) -> dict[str, Any] | None:
    """``/apis/GROUP``; None if there is no such group."""
    if name not in _groups() or not name:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def resource_list(group: str, version: str) -> dict[str, Any] | None:
    """``/apis/GROUP/VERSION`` in the classic form; None if there is no such version."""
    found = _of(group, version)
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group, version),
        "resources": [line for resource in found for line in _classic(resource)],
    }


def aggregated(*, core: bool, version: str) -> dict[str, Any]:
    """``/api`` (*core*) or ``/apis`` as an APIGroupDiscoveryList of *version*."""
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {
                    "version": each,
                    "resources": [_aggregated(resource) for resource in _of(name, each)],
                    "freshness": "Current",
                }
                for each in versions
            ],
        }
        for name, versions in _groups().items()
        if (not name) == core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _served(info: KindInfo) -> Resource:
    own = (info.group, info.version, info.kind)
    parts = []
    if info.has_status:
        offered = tuple(verb for verb in _OWN if verb in info.verbs)
        parts.append(Subresource("status", own, offered))
    if info.type in scale.SCALED:
        kind = (scale.GROUP, scale.VERSION, scale.KIND)
        parts.append(Subresource("scale", kind, _OWN))
    if info.type is ServiceAccount:
        kind = (tokens.GROUP, tokens.VERSION, tokens.KIND)
        parts.append(Subresource("token", kind, ("create",)))
    if (info.group, info.plural) == ("", "pods"):
        parts.append(Subresource("log", own, ("get",)))
    return Resource(
        group=info.group,
        version=info.version,
        plural=info.plural,
        singular=info.singular,
        kind=info.kind,
        namespaced=info.namespaced,
        verbs=info.verbs,
        short_names=info.short_names,
        categories=info.categories,
        subresources=tuple(parts),
    )


def _review(group: str, plural: str, kind: str) -> Resource:
    return Resource(
        group=group,
        version=reviews.VERSION,
        plural=plural,
        singular=kind.lower(),
        kind=kind,
        namespaced=False,
        verbs=("create",),
    )


@cache
def _groups() -> dict[str, list[str]]:
    """Group to its versions, the preferred one first; groups in the order of the catalog."""
    found: dict[str, set[str]] = {}
    for resource in resources():
        found.setdefault(resource.group, set()).add(resource.version)
    return {name: sorted(each, key=_priority, reverse=True) for name, each in found.items()}


def _priority(version: str) -> tuple[int, int, int]:
    """Released versions before beta before alpha, higher numbers first, as Kubernetes orders."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (-1, 0, 0)
    major, stage, minor = match.groups()
    return (_STAGES[stage], int(major), int(minor or 0))


def _of(group: str, version: str) -> list[Resource]:
    return [each for each in resources() if (each.group, each.version) == (group, version)]


def _group(name: str) -> dict[str, Any]:
    versions = [
        {"groupVersion": group_version(name, version), "version": version}
        for version in _groups()[name]
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _classic(resource: Resource) -> Iterator[dict[str, Any]]:
    yield {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
        **({"shortNames": resource.short_names} if resource.short_names else {}),
        **({"categories": resource.categories} if resource.categories else {}),
    }
    for part in resource.subresources:
        yield {
            "name": f"{resource.plural}/{part.name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **_foreign(resource, part),
            "kind": part.kind[2],
            "verbs": part.verbs,
        }


def _foreign(resource: Resource, part: Subresource) -> dict[str, str]:
    """Group and version of a part whose kind is not of the group of the whole."""
    group, version, _ = part.kind
    if (group, version) == (resource.group, resource.version):
        return {}
    return {"group": group, "version": version}


def _aggregated(resource: Resource) -> dict[str, Any]:
    return {
        "resource": resource.plural,
        "responseKind": _kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
        **({"shortNames": resource.short_names} if resource.short_names else {}),
        **({"categories": resource.categories} if resource.categories else {}),
        **(
            {
                "subresources": [
                    {
                        "subresource": part.name,
                        "responseKind": _kind(*part.kind),
                        "verbs": part.verbs,
                    }
                    for part in resource.subresources
                ]
            }
            if resource.subresources
            else {}
        ),
    }


def _kind(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": version, "kind": kind}
