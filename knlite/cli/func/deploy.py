"""``func deploy``: a function becomes a Service of a running knlite, with its Triggers.

Source: Knative Functions reference §4.3, §4.4.
Differs: nothing is pushed unless ``--push`` says so, as knlite runs the image or the code from
here; a changed namespace deletes the old deployment after the new one is ready, not before.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from knlite.cli.client import Client
from knlite.cli.func.building import build, say_builder
from knlite.cli.func.defaults import defaults, namespace_of
from knlite.cli.func.deploying import (
    Deployed,
    move_away,
    put_service,
    put_triggers,
    require_present,
    wait_ready,
)
from knlite.cli.func.opened import Opened, image_of
from knlite.cli.progress import Steps
from knlite.clock import present
from knlite.errors import InvalidInput, KnliteError
from knlite.functions import funcyaml
from knlite.functions.built import built_image
from knlite.functions.deployment import Tree, built_at, from_folder, references
from knlite.functions.envs import changed, read_changes
from knlite.functions.funcspec import LOCAL_REGISTRY, FuncYaml
from knlite.functions.service import service_of, triggers_of
from knlite.kinds.labels import CODE
from knlite.kinds.podspec.imagereference import is_image_reference

DEPLOYERS = ("knative", "raw", "keda")
_BUILD = {"auto": None, "true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says; empty or None is not given."""

    image: str = ""
    registry: str = ""
    namespace: str = ""
    build: str = "auto"
    builder: str = ""
    base_image: str = ""
    push: bool = False
    credentials: Mapping[str, str] | None = field(default=None, repr=False)
    envs: Sequence[str] = field(default=(), repr=False)
    domain: str = ""
    deployer: str = ""
    service_account: str = ""
    image_pull_secret: str = ""
    registry_insecure: bool | None = None
    management_disabled: bool | None = None
    remote: bool = False
    git: str = ""
    as_json: bool = False
    verbose: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def deploy(opened: Opened, options: Options, admin_port: int) -> None:
    """Deploy it and print where it is. Raises ``KnliteError``."""
    wanted_build = build_of(options.build)
    func = configured(opened.func, options)
    namespace = options.namespace or namespace_of(func, func.namespace, options.environ)
    client = Client(admin_port)
    # First, as all else is in vain without.
    runtime = client.runtime()
    digested = "@" in options.image
    image = options.image if digested else image_of(func, defaults(options.environ).registry)
    require_present(client, namespace, references(func))
    service = service_of(
        func, namespace=namespace, image=image, built=built_at(present()), environ=options.environ
    )
    # What is built, here and by knlite, goes by the file.
    with saved_unless_it_fails(opened.folder, func):
        if not digested:
            annotations = _built(opened, func, options, image, wanted_build, runtime)
            service = from_folder(service, str(opened.folder), annotations)
        done = _put(client, namespace, service)
    before = func.deploy.namespace
    if before and before != namespace:
        sys.stderr.write(f'Moving Function from "{before}" to "{namespace}"\n')
        move_away(client, before, func.name)
    # Whatever comes of the Triggers: it is there, and can be deleted.
    write_back(opened.folder, namespace, image)
    triggers = triggers_of(func, namespace=namespace, owner=done.uid)
    put_triggers(client, namespace, func.name, done.uid, triggers)
    _tell(func.name, namespace, image, done, as_json=options.as_json)


def configured(func: FuncYaml, options: Options) -> FuncYaml:
    """*func* as the options change it for good. Raises ``InvalidInput``."""
    if options.remote or options.git:
        raise InvalidInput(
            "a remote build is not supported",
            cause="it is done by Tekton in a cluster, and there is none: knlite builds on this"
            " machine",
            fix="leave --remote and --git-url away; check the repository out to deploy from it",
        )
    deployer = options.deployer or func.deployer or defaults(options.environ).deployer
    if deployer not in DEPLOYERS:
        raise InvalidInput(f'there is no deployer "{deployer}"', fix="write --deployer knative")
    if deployer != "knative":
        raise InvalidInput(
            f'the deployer "{deployer}" is not supported',
            cause="it makes a Deployment; knlite runs functions as Knative Services",
            fix="write --deployer knative, or leave it away",
        )
    if options.image and options.registry:
        raise InvalidInput(
            "both --image and --registry say what the image is called",
            fix="give --image HOST/USER/NAME, or --registry HOST/USER",
        )
    if options.image:
        require_image(options.image)
    image = options.image if "@" not in options.image else func.image
    kept = func.deploy
    return replace(
        func,
        image="" if options.registry else image or func.image,
        registry=options.registry or func.registry,
        namespace=options.namespace or func.namespace,
        domain=options.domain or func.domain,
        registry_insecure=_given(options.registry_insecure, func.registry_insecure),
        build=replace(
            func.build,
            builder=options.builder or func.build.builder,
            base_image=options.base_image or func.build.base_image,
        ),
        run=replace(func.run, envs=changed(func.run.envs, read_changes(options.envs))),
        deploy=replace(
            kept,
            service_account_name=options.service_account or kept.service_account_name,
            image_pull_secret=options.image_pull_secret or kept.image_pull_secret,
            management_disabled=_given(options.management_disabled, kept.management_disabled),
        ),
    )


def require_image(image: str) -> None:
    """Raises ``InvalidInput`` if nothing can be called *image*."""
    if not is_image_reference(image):
        raise InvalidInput(
            f'--image "{image}" names no image', fix="write HOST/USER/NAME, HOST/USER/NAME:TAG, …"
        )


def build_of(text: str) -> bool | None:
    """Whether to build; None if it has changed. Raises ``InvalidInput``."""
    try:
        return _BUILD[text.lower()]
    except KeyError:
        raise InvalidInput(
            f'invalid value for the build flag ("{text}")',
            fix="write --build=auto, --build=true or --build=false",
        ) from None


def _built(
    opened: Opened,
    func: FuncYaml,
    options: Options,
    image: str,
    wanted: bool | None,
    runtime: str,
) -> dict[str, str]:
    """Build it; what its template has to say of the code."""
    if wanted is False:
        if not built_image(opened.folder):
            raise KnliteError(
                f'function "{func.name}" has not been built',
                fix="leave --build=false away, or build it first: knlite func build",
            )
        return {}
    say_builder(options.builder)
    made = build(
        opened.folder,
        image,
        runtime=runtime,
        force=wanted is True,
        push=options.push,
        credentials=options.credentials,
    )
    if not (options.push or func.deploy.image) and image.startswith(f"{LOCAL_REGISTRY}/"):
        sys.stderr.write(f"It is called {image} and stays here: no --registry is given\n")
    return {CODE: made.code}


@contextmanager
def saved_unless_it_fails(folder: Path, func: FuncYaml) -> Iterator[None]:
    """Have *func* in ``func.yaml`` of *folder*; what fails changes nothing there.

    What its author has saved meanwhile stays. Raises ``KnliteError``.
    """
    file = folder / funcyaml.FILE
    before = file.read_bytes()
    funcyaml.save(folder, func)
    ours = file.read_bytes()
    try:
        yield
    except BaseException:
        with suppress(OSError, KnliteError):
            if file.read_bytes() == ours != before:
                funcyaml.write(folder, before)
        raise


def _put(client: Client, namespace: str, service: Tree) -> Deployed:
    sys.stderr.write("⬆️  Deploying \n")
    # How it comes about is worth a bar, not lines.
    with Steps(quiet=not sys.stderr.isatty()) as steps:
        kept, new = put_service(client, namespace, service)
        return wait_ready(client, namespace, kept, new, steps)


def write_back(folder: Path, namespace: str, image: str) -> None:
    """Write down what is deployed, into whatever its author has made of the file meanwhile."""
    try:
        func = funcyaml.required(folder)
        deployed = replace(func.deploy, namespace=namespace, image=image, deployer="knative")
        funcyaml.save(folder, replace(func, deploy=deployed))
    except KnliteError as exc:
        raise KnliteError(
            f"the function is deployed, but {folder / funcyaml.FILE} cannot be written",
            cause=str(exc),
        ) from exc


def _tell(name: str, namespace: str, image: str, done: Deployed, *, as_json: bool) -> None:
    if as_json:
        told = {
            "name": name,
            "namespace": namespace,
            "image": image,
            "url": done.url,
            "revision": done.revision,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    word = "deployed" if done.new else "updated"
    sys.stderr.write(
        f'✅ Function {word} in namespace "{namespace}" and exposed at URL: \n   {done.url}\n'
    )


def _given(value: bool | None, otherwise: bool) -> bool:
    return otherwise if value is None else value
