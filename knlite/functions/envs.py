"""Variables of a function as the command line changes them: ``-e NAME=VALUE``, ``-e NAME-``.

Source: Knative Functions reference §4.3 (run, deploy), §4.5; knative/func cmd/root.go (mergeEnvs).
"""

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from knlite.errors import InvalidInput
from knlite.functions.funcproblems import KEY
from knlite.functions.funcspec import Env

_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*", re.ASCII)


def read_changes(texts: Sequence[str]) -> dict[str, str | None]:
    """What *texts* say, by name: a value, or None for one that goes. Raises ``InvalidInput``."""
    changes: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals and name.endswith("-"):
            name = name.removesuffix("-")
            changes[name] = None
        elif equals:
            changes[name] = value
        if name not in changes or not _NAME.fullmatch(name):
            # Not the value, which may be a password.
            raise InvalidInput(
                f'--env "{name}" cannot be read',
                fix="write NAME=VALUE to set a variable, or NAME- to unset it",
            )
    return changes


def changed(envs: Sequence[Env], changes: Mapping[str, str | None]) -> tuple[Env, ...]:
    """*envs* with *changes*: what is set stays in its place, what is new comes last.

    Raises ``InvalidInput`` if one is to go that is not there.
    """
    known = {env.name for env in envs}
    for name, value in changes.items():
        if value is None and name not in known:
            raise InvalidInput(
                f'environment variable "{name}" does not exist',
                fix=f"leave --env {name}- away, or look: knlite func config envs",
            )
    kept = [
        env
        if env.name is None or env.name not in changes
        else replace(env, value=changes[env.name])
        for env in envs
        if env.name is None or changes.get(env.name, "") is not None
    ]
    new = (
        Env(name=name, value=value)
        for name, value in changes.items()
        if value is not None and name not in known
    )
    return (*kept, *new)


def as_written(envs: Sequence[Env]) -> dict[str, str]:
    """Those that refer to Secrets and ConfigMaps, which a local run has not, as they stand."""
    return {
        env.name: env.value
        for env in envs
        if env.name is not None and env.value is not None and KEY.fullmatch(env.value)
    }
