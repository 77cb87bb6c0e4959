"""What is wrong with a ``func.yaml``, in the words of ``func``, each with the path of its field.

Source: Knative Functions reference §4.1; knative/func pkg/functions (function.go,
function_envs.go, function_labels.go, function_options.go, function_volumes.go, function_git.go).
Differs: ``runtime`` is needed, and ``invoke``, ``startTimeout`` and ``sizeLimit`` are looked at.
Not here: the name, which matters when there is a Service of it (``service.py``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import normpath

from knlite.functions.funcspec import Env, FuncYaml, Label, Options, Volume
from knlite.kinds.durations import InvalidDuration
from knlite.kinds.names import label_1035_problems, label_value_problems, qualified_name_problems
from knlite.kinds.quantities import InvalidQuantity, parse

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

_NAME_OF_OBJECT = r"(?:\w|['-]\w)+"
WHOLE = re.compile(rf"{{{{\s*(secret|configMap):({_NAME_OF_OBJECT})\s*}}}}", re.ASCII)
"""All keys of an object: its kind, its name."""
KEY = re.compile(
    rf"{{{{\s*(secret|configMap):({_NAME_OF_OBJECT}):([-._a-zA-Z0-9]+)\s*}}}}", re.ASCII
)
"""One key of an object: its kind, its name, the key."""
KINDS = {"secret": "Secret", "configMap": "ConfigMap"}
"""What those words are called as Kubernetes objects."""
LOCAL = re.compile(r"{{\s*env:(\w+)\s*}}", re.ASCII)
"""A variable of this machine: its name."""
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*", re.ASCII)
_VARIABLE_TEXT = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or"
    " '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or"
    " 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
)
_URL = re.compile(r"(?:(?:ssh|git|git\+ssh|https?|ftps?|file)://\S+|[^\s:/]+@?[^\s:/]*:\S+)")


def problems(func: FuncYaml, environ: Mapping[str, str]) -> Iterator[Problem]:
    """All that is wrong with *func*; labels may come from variables of *environ*."""
    yield from _top(func)
    yield from _volumes(func.run.volumes)
    yield from _envs(func.build.build_envs, ("build", "buildEnvs"), in_build=True)
    yield from _envs(func.run.envs, ("run", "envs"), in_build=False)
    yield from _options(func.deploy.options)
    yield from _labels(func.deploy.labels, environ)
    url = func.build.git.url
    if url and not _URL.fullmatch(url):
        yield ("build", "git", "url"), f'specified option "git.url={url}" is not valid'
    yield from _kafka(func)


def name_problem(name: str) -> str:
    """Why a function cannot be called *name*; empty if it can."""
    said = "".join(label_1035_problems(name))
    subject = f"Function name '{name}'"
    if not said or "a DNS-1035 label" in said:
        return said.replace("a DNS-1035 label", subject, 1)
    return f"{subject} {said}"


def _top(func: FuncYaml) -> Iterator[Problem]:
    if not func.runtime:
        yield (), "runtime is missing (python, node, go, …)"
    if func.invoke not in {"", "http", "cloudevent"}:
        yield ("invoke",), f"invoke must be http or cloudevent, not {func.invoke!r}"
    try:
        seconds = func.start_seconds
    except InvalidDuration as error:
        yield ("run", "startTimeout"), str(error)
    else:
        if seconds < 0:
            yield ("run", "startTimeout"), "startTimeout must not be negative"
    for field, path in (("liveness", func.health[0]), ("readiness", func.health[1])):
        if not path.startswith("/"):
            yield ("deploy", "healthEndpoints", field), f"{field} must be a path that begins with /"


def _envs(envs: Sequence[Env], place: Path, *, in_build: bool) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, env in enumerate(envs):
        where = (*place, index)
        if env.name is not None and seen.setdefault(env.name, index) != index:
            first = f"first defined at entry #{seen[env.name]}"
            yield where, f'env entry #{index} has duplicate name "{env.name}" ({first})'
        for text in _of_env(env, in_build=in_build):
            yield where, f"env entry #{index} {text}"


def _of_env(env: Env, *, in_build: bool) -> Iterator[str]:
    if env.value is None:
        missing = f"is missing value field, only name '{env.name}' is set"
        yield "is not properly set" if env.name is None else missing
        return
    if env.name is None:
        if in_build:
            yield f"is missing name field, only value '{env.value}' is set"
        elif not WHOLE.fullmatch(env.value):
            yield (
                f"has invalid value field set, it has '{env.value}', but allowed is only"
                " '{{ secret:secretName }}' or '{{ configMap:configMapName }}'"
            )
        return
    if not _VARIABLE.fullmatch(env.name):
        yield f'has invalid name set: "{env.name}"; {_VARIABLE_TEXT}'
    if env.value.startswith("{{"):
        known = LOCAL.fullmatch(env.value) or (not in_build and KEY.fullmatch(env.value))
        if not known:
            allowed = "'{{ env:MY_ENV }}'"
            if not in_build:
                allowed += ", '{{ secret:secretName:key }}' or '{{ configMap:configMapName:key }}'"
            yield _wrong_reference("name", env.name, env.value, allowed)


def _wrong_reference(noun: str, name: str, value: str, allowed: str) -> str:
    return (
        f"with {noun} '{name}' has invalid value field set, it has '{value}', but allowed is only"
        f" {allowed}"
    )


def _labels(labels: Sequence[Label], environ: Mapping[str, str]) -> Iterator[Problem]:
    for index, label in enumerate(labels):
        for text in _of_label(label, environ):
            yield ("deploy", "labels", index), f"label entry #{index} {text}"


def _of_label(label: Label, environ: Mapping[str, str]) -> Iterator[str]:
    if label.key is None:
        missing = f"is missing key field, only value '{label.value}' is set"
        yield "is not properly set" if label.value is None else missing
        return
    if found := qualified_name_problems(label.key):
        yield f'has invalid key set: "{label.key}"; {"".join(found)}'
    if label.value is None:
        return
    if not label.value.startswith("{{"):
        if found := label_value_problems(label.value):
            yield f'has invalid value set: "{label.value}"; {"".join(found)}'
        return
    local = LOCAL.fullmatch(label.value)
    if local is None:
        yield _wrong_reference("key", label.key, label.value, "'{{ env:MY_ENV }}'")
        return
    value = environ.get(local[1], "")
    if found := label_value_problems(value):
        yield (
            f"with key '{label.key}' has invalid value when the environment is evaluated:"
            f" '{value}': {''.join(found)}"
        )


def _volumes(volumes: Sequence[Volume]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, volume in enumerate(volumes):
        where = ("run", "volumes", index)
        if volume.path is not None:
            first = seen.setdefault(normpath(volume.path), index)
            if first != index:
                yield (
                    where,
                    f'volume entry #{index} has duplicate path "{volume.path}"'
                    f" (first defined at entry #{first})",
                )
        for text in _of_volume(volume):
            yield where, f"volume entry #{index} ({volume_words(volume)}) {text}"


def _of_volume(volume: Volume) -> Iterator[str]:
    claim, empty = volume.persistent_volume_claim, volume.empty_dir
    if claim is not None and claim.claim_name is None:
        yield "is missing claim name"
    if empty is not None and empty.medium not in {"", "Memory"}:
        yield f"has invalid storage medium ({empty.medium})"
    if empty is not None and empty.size_limit is not None:
        try:
            parse(empty.size_limit)
        except InvalidQuantity as error:
            yield f'has invalid size limit: "{empty.size_limit}"; "{error}"'
    kinds = sum(each is not None for each in (volume.secret, volume.config_map, claim, empty))
    if kinds != 1:
        too_many = "may not specify more than one volume type"
        yield too_many if kinds else "is missing a volume type"
    if volume.path is None:
        yield "is missing path field"


def volume_words(volume: Volume) -> str:
    """*volume* as ``func config volumes`` lists it."""
    words = "No volume type"
    claim, empty = volume.persistent_volume_claim, volume.empty_dir
    if volume.config_map is not None:
        words = f'ConfigMap "{volume.config_map}"'
    elif volume.secret is not None:
        words = f'Secret "{volume.secret}"'
    elif claim is not None:
        words = "PersistentVolumeClaim"
        if claim.claim_name is not None:
            words += f' "{claim.claim_name}"'
    elif empty is not None:
        words = "EmptyDir" + (" in memory" if empty.medium == "Memory" else "")
        if empty.size_limit is not None:
            words += f' with size limit "{empty.size_limit}"'
    return words if volume.path is None else f'{words} at path: "{volume.path}"'


def _options(options: Options) -> Iterator[Problem]:
    place = ("deploy", "options")
    scale = options.scale
    if scale is not None:
        for field, text in _of_scale(scale.min, scale.max):
            yield (*place, "scale", field), text
        if scale.metric not in {None, "concurrency", "rps"}:
            allowed = 'allowed is only "concurrency" or "rps"'
            text = f'"scale.metric" has invalid value set: {scale.metric}, {allowed}'
            yield (*place, "scale", "metric"), f"options field {text}"
        # Written so that what is no number at all (nan) is refused, too.
        if scale.target is not None and not scale.target >= 0.01:
            text = f'"scale.target" has value set to "{scale.target:f}", but it must not be'
            yield (*place, "scale", "target"), f"options field {text} less than 0.01"
        if scale.utilization is not None and not 1 <= scale.utilization <= 100:
            value = f'"scale.utilization" has value set to "{scale.utilization:f}"'
            text = f"{value}, but it must not be less than 1 or greater than 100"
            yield (*place, "scale", "utilization"), f"options field {text}"
    for steps, quantity in _quantities(options):
        try:
            parse(quantity)
        except InvalidQuantity as error:
            text = f'"resources.{".".join(steps)}" has invalid value set: "{quantity}"; "{error}"'
            yield (*place, "resources", *steps), f"options field {text}"
    limits = options.resources.limits if options.resources is not None else None
    if limits is not None and limits.concurrency is not None and limits.concurrency < 0:
        value = f'"resources.limits.concurrency" has value set to "{limits.concurrency}"'
        text = f"options field {value}, but it must not be less than 0"
        yield (*place, "resources", "limits", "concurrency"), text


def _of_scale(least: int | None, most: int | None) -> Iterator[tuple[str, str]]:
    for field, value in (("min", least), ("max", most)):
        if value is not None and value < 0:
            wrong = f'"scale.{field}" has invalid value set: {value}'
            yield field, f'options field {wrong}, the value must be greater than "0"'
    if least is not None and most is not None and most < least:
        yield "max", 'options field "scale.max" value must be greater or equal to "scale.min"'


def _quantities(options: Options) -> Iterator[tuple[tuple[str, str], str]]:
    resources = options.resources
    if resources is None:
        return
    for group, given in (("requests", resources.requests), ("limits", resources.limits)):
        if given is None:
            continue
        if given.cpu is not None:
            yield (group, "cpu"), given.cpu
        if given.memory is not None:
            yield (group, "memory"), given.memory


def _kafka(func: FuncYaml) -> Iterator[Problem]:
    kafka = func.run.kafka
    if kafka is None:
        return
    place = ("run", "kafka")
    if func.runtime != "go":
        yield place, "run.kafka is currently only supported for the Go runtime"
    elif func.invoke != "cloudevent":
        yield place, "run.kafka is only supported with invoke: cloudevent"
    else:
        given = {
            "brokers": kafka.brokers,
            "topic": kafka.topic,
            "consumerGroup": kafka.consumer_group,
        }
        for field, value in given.items():
            if not value:
                yield place, f"run.kafka.{field} is required when Kafka is configured"
