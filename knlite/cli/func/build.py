"""``func build``: what a function needs to run, made ahead of its deployment.

Source: Knative Functions reference §4.3.
"""

from knlite.cli.func.building import build, require_platform, say_builder
from knlite.cli.func.defaults import defaults
from knlite.cli.func.deploy import Options, configured, saved_unless_it_fails
from knlite.cli.func.opened import Opened, image_of
from knlite.errors import InvalidInput


def build_function(opened: Opened, options: Options, runtime: str, platform: str) -> None:
    """Build it, if it has changed, for *runtime*. Raises ``KnliteError``."""
    require_platform(platform)
    if "@" in options.image:
        raise InvalidInput(
            f'--image "{options.image}" has a digest', cause="that is known once it is built"
        )
    func = configured(opened.func, options)
    say_builder(options.builder)
    # What is built goes by the file.
    with saved_unless_it_fails(opened.folder, func):
        build(
            opened.folder,
            image_of(func, defaults(options.environ).registry),
            runtime=runtime,
            force=options.build == "true",
            push=options.push,
            credentials=options.credentials,
        )
